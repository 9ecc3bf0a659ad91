//! From the bytes of a picture to its thumbnail: what costs the most, and what hostile bytes are aimed at.
//!
//! Before anything is decoded, the header has to name the type that the request named, and a size within the limits; the decoder may
//! then allocate no more than it is given. So a file of a few bytes that says it is huge costs nothing.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageReader, Rgba, RgbaImage, imageops};
use offload_runtime::check_cancelled;

use super::format::Format;
use crate::config::Limits;
use crate::error::Error;

/// The longer side of a thumbnail.
const THUMBNAIL: u32 = 256;
const QUALITY: u8 = 80;

/// What was seen of a picture.
#[derive(Debug)]
pub(super) struct Scaled {
    pub(super) width: u32,
    pub(super) height: u32,
    /// A JPEG.
    pub(super) thumbnail: Vec<u8>,
}

/// Decodes a picture and scales it down.
pub(super) fn scale(format: Format, bytes: &[u8], limits: &Limits) -> Result<Scaled, Error> {
    format.check(bytes)?;
    let mut decoder = open(format, bytes, limits)?;
    let orientation = decoder.orientation()?;
    let picture = DynamicImage::from_decoder(decoder)?;
    // The client may have left during that.
    check_cancelled();
    let (width, height) = match orientation {
        Orientation::Rotate90 | Orientation::Rotate270 | Orientation::Rotate90FlipH | Orientation::Rotate270FlipH => {
            (picture.height(), picture.width())
        }
        _ => (picture.width(), picture.height()),
    };
    let mut small = if width.max(height) > THUMBNAIL { picture.thumbnail(THUMBNAIL, THUMBNAIL) } else { picture };
    small.apply_orientation(orientation);
    let mut thumbnail = Vec::new();
    on_white(&small).write_with_encoder(JpegEncoder::new_with_quality(&mut thumbnail, QUALITY))?;
    Ok(Scaled { width, height, thumbnail })
}

/// The decoder, if what the header says is within the limits.
fn open<'a>(format: Format, bytes: &'a [u8], limits: &Limits) -> Result<impl ImageDecoder + 'a, Error> {
    let mut most = image::Limits::default();
    most.max_image_width = Some(limits.side);
    most.max_image_height = Some(limits.side);
    most.max_alloc = Some(limits.decode);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format.decoder_format());
    reader.limits(most.clone());
    let mut decoder = reader.into_decoder()?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > limits.pixels {
        return Err(Error::BadPicture(format!("{width} x {height} pixels are too many")));
    }
    // What is decoded counts too, and is not the decoder's.
    most.reserve(decoder.total_bytes())?;
    decoder.set_limits(most)?;
    Ok(decoder)
}

/// A JPEG has no transparency: what was transparent is white.
fn on_white(picture: &DynamicImage) -> DynamicImage {
    if !picture.color().has_alpha() {
        return picture.to_rgb8().into();
    }
    let mut white = RgbaImage::from_pixel(picture.width(), picture.height(), Rgba([255; 4]));
    imageops::overlay(&mut white, &picture.to_rgba8(), 0, 0);
    DynamicImage::from(white).to_rgb8().into()
}

/// Every error of the decoder is one of the bytes it was given: broken, of a kind that it does not know, or beyond its limits.
impl From<image::ImageError> for Error {
    fn from(error: image::ImageError) -> Self {
        Self::BadPicture(error.to_string())
    }
}
