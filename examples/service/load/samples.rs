//! The pictures that are uploaded: made here, so that there is nothing to download and each run sends the same.
//!
//! They are like photographs in what matters: as many pixels to decode and to scale, and no two areas the same.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::{Rgb, RgbImage};
use reqwest::Body;

use crate::Failure;

const WIDTH: u32 = 960;
const HEIGHT: u32 = 720;
/// Several, so that one that is fetched can be told from another.
const KINDS: u32 = 8;

/// A picture, as JPEG.
#[derive(Clone, Debug)]
pub(crate) struct Sample(&'static [u8]);

impl Sample {
    pub(crate) fn bytes(&self) -> Body {
        Body::from(self.0)
    }

    pub(crate) fn is(&self, bytes: &[u8]) -> bool {
        self.0 == bytes
    }
}

/// Makes them. They stay until the program ends, so that sending one copies nothing.
pub(crate) fn make() -> Result<Vec<Sample>, Failure> {
    (0..KINDS).map(sample).collect()
}

fn sample(kind: u32) -> Result<Sample, Failure> {
    let mut noise = fastrand::Rng::with_seed(kind.into());
    let picture = RgbImage::from_fn(WIDTH, HEIGHT, |x, y| {
        let mut wave =
            |a: u32, b: u32| u8::try_from((x * a + y * b + 31 * kind) / 7 % 248).expect("below 248") + noise.u8(..8);
        Rgb([wave(3, 1), wave(1, 2), wave(2, 5)])
    });
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(Cursor::new(&mut jpeg), 80).encode_image(&picture)?;
    Ok(Sample(jpeg.leak()))
}
