//! A QR code as SVG, drawn here so that no other server sees the activation code.

use maud::{Markup, html};
use qrcodegen::{QrCode, QrCodeEcc};
use std::fmt::Write;

/// The margin that a reader needs on each side, in modules (ISO/IEC 18004, section 6.3.8).
const QUIET_ZONE: i32 = 4;

/// Draws the text; `None` if it is too long for any QR code. The ground is white and the modules
/// are black in every colour scheme, since readers expect dark on light.
pub(super) fn drawing(text: &str, label: &str) -> Option<Markup> {
    let code = QrCode::encode_text(text, QrCodeEcc::Medium).ok()?;
    let side = code.size().saturating_add(QUIET_ZONE.saturating_mul(2));
    Some(html! {
        svg.qr xmlns="http://www.w3.org/2000/svg" viewBox={ "0 0 " (side) " " (side) }
            role="img" aria-label=(label) shape-rendering="crispEdges" {
            rect width="100%" height="100%" fill="#fff" {}
            path d=(outline(&code)) fill="#000" {}
        }
    })
}

/// The path of all dark modules: each run of them in a row is one bar.
fn outline(code: &QrCode) -> String {
    let mut path = String::new();
    for y in 0..code.size() {
        let mut x = 0;
        while x < code.size() {
            let length = (x..code.size()).take_while(|x| code.get_module(*x, y)).count();
            let length = i32::try_from(length).unwrap_or_default();
            if length > 0 {
                let (left, top) = (x.saturating_add(QUIET_ZONE), y.saturating_add(QUIET_ZONE));
                // Writing to a string never fails.
                let _ = write!(path, "M{left} {top}h{length}v1h-{length}z");
            }
            x = x.saturating_add(length.max(1));
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_has_its_quiet_zone_on_white() {
        let svg = drawing("duo://abcdefghijklmnop-YXBpLmV4YW1wbGUuY29t", "QR").unwrap().0;
        assert!(svg.contains("viewBox=\"0 0 41 41\""), "{svg}");
        assert!(svg.contains("fill=\"#fff\""));
        // The finder pattern's top left corner, a bar of seven modules after the margin.
        assert!(svg.contains("d=\"M4 4h7v1h-7z"), "{svg}");
    }

    #[test]
    fn every_dark_module_is_drawn_and_no_light_one() {
        let code = QrCode::encode_text("otpauth", QrCodeEcc::Medium).unwrap();
        let mut dark = 0;
        for y in 0..code.size() {
            dark += (0..code.size()).filter(|x| code.get_module(*x, y)).count();
        }
        let drawn: usize = outline(&code)
            .split('h')
            .filter_map(|bar| bar.split_once("v1")?.0.parse::<usize>().ok())
            .sum();
        assert_eq!(drawn, dark);
    }

    #[test]
    fn a_text_too_long_for_any_code_is_not_drawn() {
        assert!(drawing(&"x".repeat(4_000), "QR").is_none());
    }
}
