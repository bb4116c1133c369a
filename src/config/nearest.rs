//! Finds the word that was probably meant.

/// The candidate that is closest to `word`; `None` if all differ too much.
pub(super) fn nearest<'c>(
    word: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<&'c str> {
    // Every key is shorter. The distance of a longer word would take too long to compute.
    if word.len() > 40 {
        return None;
    }
    let word = word.to_ascii_lowercase().replace('-', "_");
    candidates
        .into_iter()
        .map(|candidate| (distance(&word, &candidate.replace('-', "_")), candidate))
        .filter(|(distance, candidate)| *distance <= candidate.len().wrapping_div(3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// How many bytes have to be inserted, removed or replaced (Levenshtein).
fn distance(from: &str, to: &str) -> usize {
    let mut above: Vec<usize> = (0..=to.len()).collect();
    for (row, from) in from.bytes().enumerate() {
        let mut left = row.saturating_add(1);
        let mut current = vec![left];
        for (to, (diagonal, up)) in to.bytes().zip(above.iter().zip(above.iter().skip(1))) {
            let replaced = diagonal.saturating_add(usize::from(from != to));
            left = replaced.min(up.saturating_add(1)).min(left.saturating_add(1));
            current.push(left);
        }
        above = current;
    }
    above.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_edits() {
        for (from, to, edits) in
            [("", "", 0), ("", "abc", 3), ("abc", "", 3), ("kitten", "sitting", 3), ("ab", "ab", 0)]
        {
            assert_eq!(distance(from, to), edits, "{from} {to}");
        }
    }

    #[test]
    fn a_misspelt_key_finds_the_one_that_was_meant() {
        let keys = ["integration_key", "secret_key", "cluster", "timeout", "push_timeout"];

        assert_eq!(nearest("intergration_key", keys), Some("integration_key"));
        assert_eq!(nearest("secretKey", keys), Some("secret_key"));
        assert_eq!(nearest("push-timeout", keys), Some("push_timeout"));
        assert_eq!(nearest("tiemout", keys), Some("timeout"));
        assert_eq!(nearest("colour", keys), None);
        assert_eq!(nearest(&"x".repeat(10_000), keys), None);
    }
}
