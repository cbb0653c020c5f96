//! What somebody may have meant who wrote something else.

/// How many letters must be put in, left out or exchanged.
pub fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.bytes().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, b) in other.bytes().enumerate() {
            let exchanged = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = exchanged.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}

/// The one of these words that is a typing error away.
pub fn nearest<'a>(written: &str, words: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    /// Nobody means a word of a few letters by one of thousands.
    const LONGEST: usize = 100;
    if written.len() > LONGEST {
        return None;
    }
    let near = words.into_iter().map(|word| (distance(written, word), word));
    // In short words, two letters that changed places must do.
    near.filter(|(letters, word)| *letters <= (word.len() / 3).max(2)).min().map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::places("olny", Some("only"))]
    #[case::plural("revisions", Some("revision"))]
    #[case::left_out("budgt", Some("budget"))]
    #[case::underscore("stream_end_grace", Some("stream-end-grace"))]
    #[case::nothing("colour", None)]
    #[case::empty("", None)]
    fn a_typing_error_leads_to_the_word(#[case] written: &str, #[case] meant: Option<&str>) {
        assert_eq!(nearest(written, ["only", "revision", "budget", "stream-end-grace"]), meant);
    }

    #[test]
    fn thousands_of_letters_are_near_to_nothing() {
        assert_eq!(nearest(&"only".repeat(5_000), ["only"]), None);
    }
}
