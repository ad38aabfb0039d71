//! docs/BENCHMARKS.md: one part for each program that measures, each of which replaces its own and no other.

use std::fs;

use super::need;

/// Replaces the part that begins with the same heading (`# …`) as `part`, or adds it at the end.
///
/// # Panics
/// The source tree cannot be written.
pub fn write(part: &str) {
    let path = need::top().join("docs/BENCHMARKS.md");
    let before = fs::read_to_string(&path).unwrap_or_default();
    fs::write(path, with_part(&before, part)).expect("the source tree can be written");
}

fn with_part(before: &str, part: &str) -> String {
    let heading = part.lines().next().unwrap_or_default();
    let mut parts: Vec<&str> = parts(before).collect();
    match parts.iter_mut().find(|old| old.lines().next() == Some(heading)) {
        Some(old) => *old = part,
        None => parts.push(part),
    }
    parts.iter().map(|part| part.trim_end()).collect::<Vec<_>>().join("\n\n") + "\n"
}

/// Pieces that begin with a heading of the first order.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    let starts = text.match_indices("# ").map(|(at, _)| at);
    let is_start = |at: &usize| *at == 0 || text[..*at].ends_with('\n');
    let mut starts: Vec<usize> = starts.filter(is_start).collect();
    starts.push(text.len());
    let pieces: Vec<&str> = starts.windows(2).map(|pair| &text[pair[0]..pair[1]]).collect();
    pieces.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_replaces_its_own_and_no_other() {
        let one = with_part("", "# One\n\n## Inner\n1\n");
        let two = with_part(&one, "# Two\n\n| # |\n");
        assert_eq!(two, "# One\n\n## Inner\n1\n\n# Two\n\n| # |\n");
        assert_eq!(with_part(&two, "# One\n\n3\n"), "# One\n\n3\n\n# Two\n\n| # |\n");
    }
}
