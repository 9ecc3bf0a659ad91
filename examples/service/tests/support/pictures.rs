//! Pictures to upload, good ones and bad ones.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, Rgb, RgbImage};

/// A picture that no other has the bytes of, in a format.
pub(crate) fn picture(format: ImageFormat, width: u32, height: u32, seed: u32) -> Vec<u8> {
    let pixel = |x: u32, y: u32| {
        let hash = (x + y * width).wrapping_add(seed.wrapping_mul(7919)).wrapping_mul(2_654_435_761);
        let [_, r, g, b] = hash.to_le_bytes();
        Rgb([r, g, b])
    };
    let picture = DynamicImage::from(RgbImage::from_fn(width, height, pixel));
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

pub(crate) fn png(width: u32, height: u32, seed: u32) -> Vec<u8> {
    picture(ImageFormat::Png, width, height, seed)
}

/// A valid PNG of few bytes whose pixels are all there: grey, one bit each, all black.
pub(crate) fn bomb(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::One);
    let mut writer = encoder.write_header().unwrap();
    let mut pixels = writer.stream_writer().unwrap();
    let row = vec![0; width.div_ceil(8) as usize];
    for _ in 0..height {
        std::io::Write::write_all(&mut pixels, &row).unwrap();
    }
    pixels.finish().unwrap();
    drop(writer);
    bytes
}

/// A PNG that says it is of this size, and has no pixels.
pub(crate) fn boast(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let encoder = png::Encoder::new(&mut bytes, width, height);
    drop(encoder.write_header().unwrap());
    bytes
}
