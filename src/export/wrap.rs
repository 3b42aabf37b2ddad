//! Prose in lines of a terminal's width.

use unicode_width::UnicodeWidthChar;

/// Takes `text` apart into lines of at most `width` columns, and `later` columns from the second on. A line ends at a blank, or
/// between two characters that are two columns wide (East Asian text has no blanks), and inside a word only when that is too long.
pub(super) fn lines(text: &str, width: usize, later: usize) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    let mut width = width;
    std::iter::from_fn(move || {
        let text = rest?;
        let (line, behind) = split(text, width.max(MIN_COLUMNS));
        width = later;
        rest = (!behind.is_empty()).then_some(behind);
        Some(line)
    })
}

/// Narrower lines than this nobody can read.
const MIN_COLUMNS: usize = 16;

/// The first line of `text`, and what is left for the others.
fn split(text: &str, width: usize) -> (&str, &str) {
    let mut columns = 0;
    // Where the line may end, and where the next one begins then.
    let mut end = None;
    let mut before = ' ';
    for (at, ch) in text.char_indices() {
        let wide = ch.width().unwrap_or(0);
        if ch == ' ' {
            end = Some((at, at + 1));
        } else if before != ' ' && may_break(before, ch) {
            end = Some((at, at));
        }
        columns += wide;
        if columns > width && ch != ' ' {
            let (end, next) = match end {
                Some(found) if found.0 > 0 => found,
                _ => (at, at),
            };
            return (&text[..end], text[next..].trim_start_matches(' '));
        }
        before = ch;
    }
    (text, "")
}

/// A line may end between these two characters.
fn may_break(before: char, ch: char) -> bool {
    let wide = |ch: char| ch.width() == Some(2);
    (wide(before) || wide(ch))
        && !"「『（【“‘《〈«(".contains(before)
        && !"、。，．：；！？」』）】”’》〉»)…".contains(ch)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrapped(text: &str, width: usize) -> Vec<&str> {
        lines(text, width, width).collect()
    }

    #[test]
    fn lines_end_at_blanks() {
        let text = "The server (port 7272) sends a ping.";
        assert_eq!(wrapped(text, 24), ["The server (port 7272)", "sends a ping."]);
        assert_eq!(wrapped(text, 80), [text]);
        assert_eq!(wrapped("", 24), [""]);
    }

    #[test]
    fn wide_characters_take_two_columns_and_need_no_blanks() {
        let text = "服务端（端口7272）向客户端发送关闭帧。";
        let found = wrapped(text, 20);
        assert_eq!(found.concat(), text);
        let columns = |line: &str| line.chars().filter_map(UnicodeWidthChar::width).sum::<usize>();
        assert!(found.iter().all(|line| columns(line) <= 20), "{found:?}");
        assert!(!found.iter().any(|line| line.starts_with('。')), "{found:?}");
    }

    #[test]
    fn a_word_that_is_too_long_is_cut() {
        assert_eq!(
            wrapped(&"x".repeat(40), 16),
            ["x".repeat(16), "x".repeat(16), "x".repeat(8)]
        );
        assert_eq!(wrapped("a 猪猪猪猪猪猪猪猪", 16), ["a 猪猪猪猪猪猪猪", "猪"]);
    }
}
