//! `image`: pictures decoded, scaled and composed; methods that take `self` by value, and results without an error.

use std::io::Cursor;

use image::imageops::{self, FilterType};
use image::{DynamicImage, ImageError, ImageFormat, ImageReader, ImageResult, Rgba, RgbaImage};
use offload_runtime::{Limited, ThreadPool, blocking};

use crate::support::{closed, panic_of};

#[derive(Clone, Copy, Debug, PartialEq)]
struct Size {
    width: u32,
    height: u32,
}

#[derive(Clone)]
struct Gallery {
    cpu: Limited<ThreadPool>,
    filter: FilterType,
}

impl Gallery {
    /// A PNG that fits into the given size. The error is the library's own, which has no place for a refusal.
    #[blocking(executor = cpu, refused = panic)]
    fn thumbnail(&self, picture: &[u8], Size { width, height }: Size) -> ImageResult<Vec<u8>> {
        let picture = ImageReader::new(Cursor::new(picture)).with_guessed_format()?.decode()?;
        let small = picture.resize(width, height, self.filter);
        let mut png = Cursor::new(Vec::new());
        small.write_to(&mut png, ImageFormat::Png)?;
        Ok(png.into_inner())
    }

    /// Puts `badge`, if there is one, on a copy of `picture`.
    #[blocking(executor = cpu)]
    fn badge(&self, picture: &RgbaImage, badge: Option<&RgbaImage>, [x, y]: [i64; 2]) -> RgbaImage {
        let mut copy = picture.clone();
        if let Some(badge) = badge {
            imageops::overlay(&mut copy, badge, x, y);
        }
        copy
    }

    /// The sizes of pictures, for each that is one.
    #[blocking(executor = cpu)]
    fn sizes<I>(&self, pictures: I) -> Vec<Option<Size>>
    where
        I: IntoIterator<Item = Vec<u8>> + Send + 'static,
    {
        let size = |picture: Vec<u8>| -> ImageResult<Size> {
            let (width, height) = ImageReader::new(Cursor::new(picture)).with_guessed_format()?.into_dimensions()?;
            Ok(Size { width, height })
        };
        pictures.into_iter().map(|picture| size(picture).ok()).collect()
    }
}

type Step = Box<dyn FnOnce(DynamicImage) -> DynamicImage + Send>;

/// Steps that are put together first and run as one job. Used once, hence not `Clone`.
struct Pipeline {
    executor: ThreadPool,
    steps: Vec<Step>,
}

impl Pipeline {
    fn new(executor: ThreadPool) -> Self {
        Self { executor, steps: Vec::new() }
    }

    fn then(mut self, step: impl FnOnce(DynamicImage) -> DynamicImage + Send + 'static) -> Self {
        self.steps.push(Box::new(step));
        self
    }

    /// Runs all steps, and `last` behind them.
    #[blocking(refused = panic)]
    fn run(mut self, picture: DynamicImage, last: Option<Step>) -> ImageResult<DynamicImage> {
        self.steps.extend(last);
        let size = picture.width();
        let result = self.steps.into_iter().fold(picture, |picture, step| step(picture));
        if result.width() > size {
            let kind = image::error::LimitErrorKind::DimensionError;
            return Err(ImageError::Limits(image::error::LimitError::from_kind(kind)));
        }
        Ok(result)
    }

    #[blocking]
    fn pixels(self: Box<Self>, picture: DynamicImage) -> Vec<Rgba<u8>> {
        let Self { steps, .. } = *self;
        let picture = steps.into_iter().fold(picture, |picture, step| step(picture));
        picture.into_rgba8().pixels().copied().collect()
    }
}

const RED: Rgba<u8> = Rgba([255, 0, 0, 255]);
const BLUE: Rgba<u8> = Rgba([0, 0, 255, 255]);

fn gallery(cpu: &ThreadPool) -> Gallery {
    Gallery { cpu: cpu.limited(1), filter: FilterType::Nearest }
}

fn png(width: u32, height: u32, colour: Rgba<u8>) -> Vec<u8> {
    let mut png = Cursor::new(Vec::new());
    RgbaImage::from_pixel(width, height, colour).write_to(&mut png, ImageFormat::Png).unwrap();
    png.into_inner()
}

#[tokio::test]
async fn a_thumbnail_is_a_small_png() {
    let gallery = gallery(&ThreadPool::new(2));
    let small = gallery.thumbnail(&png(64, 32, RED), Size { width: 16, height: 16 }).await.unwrap();
    let small = image::load_from_memory_with_format(&small, ImageFormat::Png).unwrap().into_rgba8();
    assert_eq!(small.dimensions(), (16, 8));
    assert!(small.pixels().all(|&pixel| pixel == RED));

    let error = gallery.thumbnail(b"no picture", Size { width: 16, height: 16 }).await;
    assert!(matches!(error, Err(ImageError::Unsupported(_))), "{error:?}");
}

#[tokio::test]
async fn borrowed_pictures_cross_as_clones() {
    let gallery = gallery(&ThreadPool::new(2));
    let picture = RgbaImage::from_pixel(4, 4, RED);
    let badge = RgbaImage::from_pixel(1, 2, BLUE);
    let with = gallery.badge(&picture, Some(&badge), [3, 1]).await;
    let blue: Vec<_> = with.enumerate_pixels().filter(|(.., p)| **p == BLUE).map(|(x, y, _)| (x, y)).collect();
    assert_eq!(blue, [(3, 1), (3, 2)]);
    assert_eq!(gallery.badge(&picture, None, [0, 0]).await, picture);
}

#[tokio::test]
async fn an_iterator_is_walked_by_the_job() {
    let sizes = gallery(&ThreadPool::new(2)).sizes([png(3, 2, RED), Vec::new(), png(1, 1, BLUE)]).await;
    assert_eq!(sizes, [Some(Size { width: 3, height: 2 }), None, Some(Size { width: 1, height: 1 })]);
}

#[tokio::test]
async fn a_pipeline_is_used_up() {
    let pool = ThreadPool::new(1);
    let picture = || DynamicImage::from(RgbaImage::from_fn(2, 1, |x, _| if x == 0 { RED } else { BLUE }));

    let pixels = Box::new(Pipeline::new(pool.clone()).then(|picture| picture.fliph())).pixels(picture()).await;
    assert_eq!(pixels, [BLUE, RED]);

    let turned = Pipeline::new(pool.clone()).then(|picture| picture.rotate90()).run(picture(), None).await.unwrap();
    assert_eq!((turned.width(), turned.height()), (1, 2));

    let enlarge: Step = Box::new(|picture| picture.resize(9, 9, FilterType::Nearest));
    let error = Pipeline::new(pool).run(picture(), Some(enlarge)).await;
    assert!(matches!(error, Err(ImageError::Limits(_))));
}

#[tokio::test]
async fn a_refusal_is_a_panic_with_the_name_of_the_method() {
    let gallery = gallery(&closed());
    let message = panic_of(gallery.thumbnail(&[], Size { width: 1, height: 1 })).await;
    assert!(message.contains("thumbnail") && message.contains("shut down"), "{message}");
    let message = panic_of(gallery.sizes([])).await;
    assert!(message.contains("sizes") && message.contains("shut down"), "{message}");
}
