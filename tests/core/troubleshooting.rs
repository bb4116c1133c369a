//! docs/troubleshooting.md has a section for each code, which the links of people and programs name, and knows the headings of
//! the pages.

use std::collections::BTreeSet;

use duo_mfa::page::Language;
use duo_mfa::signal::Code;

use crate::docs::read;

const PAGE: &str = "docs/troubleshooting.md";

#[test]
fn every_code_has_a_section_of_its_name() {
    let page = read(PAGE);
    let sections = page.split("\n### ").skip(1);
    let sections: Vec<_> = sections.map(|section| section.split_once("\n\n").unwrap()).collect();
    let documented: Vec<_> = sections.iter().map(|(name, _)| *name).collect();
    let distinct: BTreeSet<_> = documented.iter().copied().collect();
    let coded: BTreeSet<_> = Code::ALL.iter().map(|code| code.name()).collect();
    assert_eq!(distinct, coded);
    assert_eq!(documented.len(), coded.len(), "{documented:?}");
    for (name, section) in sections {
        let section = section.split("\n## ").next().unwrap();
        let starts: Vec<_> = section
            .lines()
            .filter_map(|line| line.strip_prefix("- **")?.split_once(":** "))
            .map(|(start, _)| start)
            .collect();
        assert_eq!(starts, ["Why", "User", "Operator"], "{name}");
    }
}

#[test]
fn every_heading_of_a_page_leads_to_its_codes() {
    let page = read(PAGE);
    let rows: Vec<_> = page
        .lines()
        .skip_while(|line| *line != "| heading | codes |")
        .take_while(|line| line.starts_with('|'))
        .collect();
    assert!(rows.len() > 15, "{rows:?}");
    for code in Code::ALL {
        let start = format!("| *{}*", Language::En.heading(code));
        let link = format!("](#{})", code.name());
        let is_led_to = |row: &str| row.starts_with(&start) && row.contains(&link);
        assert!(rows.iter().copied().any(is_led_to), "{start} has no {link}");
    }
}
