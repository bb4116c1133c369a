//! How many bytes a page costs its reader.

use super::*;
use flate2::{Compression, write::GzEncoder};
use std::io::Write;

#[test]
fn a_page_with_its_style_and_script_weighs_little() {
    let stage = Stage::with("Example");
    let zipped = |bytes: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap().len()
    };
    let asset = |path: &str| zipped(&stage.site.asset(path).unwrap().body);
    let (style, script) = (asset(&stage.site.style.path), asset(&stage.site.script.path));
    for (name, screen) in [("start", Screen::Start), ("choose", Screen::Choose(stage.devices()))] {
        let html = zipped(page(&screen, &stage.frame(Language::De, Arrival::InPlace)).as_bytes());
        println!("{name}: {html} html + {style} css + {script} js, gzipped");
        assert!(html + style + script <= 10_000);
    }
    let whole = page(&Screen::Start, &stage.frame(Language::En, Arrival::InPlace)).len();
    println!("start, as sent: {whole}");
    assert!(whole <= 8_000);
}
