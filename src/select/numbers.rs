//! Lists of numbers: `2`, `1,4-7`.

/// Numbers of sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbers(Vec<(u64, u64)>);

impl Numbers {
    /// Reads a list of numbers from 1 and ranges of them, both ends included. Gives what is wrong.
    ///
    /// # Errors
    ///
    /// A part is neither; it is returned.
    pub fn parse(list: &str) -> Result<Self, String> {
        list.split(',')
            .map(str::trim)
            .map(range)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Whether `number` is in it.
    pub fn contains(&self, number: u64) -> bool {
        self.0.iter().any(|&(first, last)| (first..=last).contains(&number))
    }
}

fn range(part: &str) -> Result<(u64, u64), String> {
    let (first, last) = part.split_once('-').unwrap_or((part, part));
    match (number(first), number(last)) {
        (Some(first), Some(last)) if 0 < first && first <= last => Ok((first, last)),
        _ => Err(part.to_owned()),
    }
}

/// Only digits: `+2` is no number here.
fn number(text: &str) -> Option<u64> {
    let text = text.trim();
    text.parse()
        .ok()
        .filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_ranges_are_read() {
        let list = Numbers::parse("2, 4-7,9").unwrap();
        let in_it: Vec<u64> = (0..12).filter(|number| list.contains(*number)).collect();
        assert_eq!(in_it, [2, 4, 5, 6, 7, 9]);
    }

    #[test]
    fn what_is_no_list_is_named() {
        for (list, wrong) in [
            ("0", "0"),
            ("", ""),
            ("1,,2", ""),
            ("7-4", "7-4"),
            ("1,x", "x"),
            ("-3", "-3"),
            ("+2", "+2"),
            ("99999999999999999999", "99999999999999999999"),
        ] {
            assert_eq!(Numbers::parse(list), Err(wrong.to_owned()), "{list:?}");
        }
    }
}
