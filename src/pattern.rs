//! Patterns over check ids: `*` stays within a segment, `**` crosses.

/// Whether a pattern matches an id such as `sse/well-formed`.
pub fn matches(pattern: &str, id: &str) -> bool {
    let pattern: Vec<&str> = pattern.split('/').collect();
    let id: Vec<&str> = id.split('/').collect();
    segments_match(&pattern, &id)
}

fn segments_match(pattern: &[&str], id: &[&str]) -> bool {
    match (pattern, id) {
        ([], []) => true,
        (["**", rest @ ..], _) => (0..=id.len()).any(|skipped| segments_match(rest, &id[skipped..])),
        ([first, pattern @ ..], [segment, id @ ..]) => {
            within_segment(first.as_bytes(), segment.as_bytes()) && segments_match(pattern, id)
        }
        _ => false,
    }
}

fn within_segment(pattern: &[u8], segment: &[u8]) -> bool {
    match (pattern, segment) {
        ([], []) => true,
        ([b'*', rest @ ..], _) => (0..=segment.len()).any(|skipped| within_segment(rest, &segment[skipped..])),
        ([p, pattern @ ..], [s, segment @ ..]) => p == s && within_segment(pattern, segment),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("sse/well-formed", "sse/well-formed", true)]
    #[case("sse/*", "sse/well-formed", true)]
    #[case("sse/stream-*", "sse/well-formed", false)]
    #[case("*", "sse/well-formed", false)]
    #[case("**", "sse/well-formed", true)]
    #[case("client/*", "client/sse-grammar/bom", false)]
    #[case("client/**", "client/sse-grammar/bom", true)]
    #[case("**/bom", "client/sse-grammar/bom", true)]
    #[case("sse", "sse/well-formed", false)]
    fn a_star_stays_within_a_segment_and_two_cross(#[case] pattern: &str, #[case] id: &str, #[case] expected: bool) {
        assert_eq!(matches(pattern, id), expected);
    }
}
