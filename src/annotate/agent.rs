//! Which browser a User-Agent (RFC 9110 §10.1.5) is one of. What is no browser's gives nothing: it is a client then.

use super::who::Agent;

/// Tokens and the browsers that send them. Browsers also send the tokens of others, so the most particular comes first.
const BROWSERS: [(&str, &str); 12] = [
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Vivaldi/", "Vivaldi"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("HeadlessChrome/", "Chrome"),
    ("Chromium/", "Chromium"),
    ("Chrome/", "Chrome"),
];

/// Tokens and the systems that they tell.
const SYSTEMS: [(&str, &str); 7] = [
    ("Android", "Android"),
    ("iPhone", "iOS"),
    ("iPad", "iPadOS"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
];

/// The browser that sends `user_agent`.
pub(super) fn read(user_agent: &str) -> Option<Agent> {
    // All browsers of this century begin so; libraries and tools do not.
    let details = user_agent.strip_prefix("Mozilla/")?;
    let system = SYSTEMS
        .iter()
        .find(|(token, _)| details.contains(token))
        .map(|&(_, name)| name);
    let found = BROWSERS
        .iter()
        .find_map(|&(token, name)| Some((name, version(details, token)?)))
        .or_else(|| {
            details.contains("Safari/").then_some(())?;
            Some(("Safari", version(details, "Version/")?))
        })?;
    Some(Agent {
        name: found.0,
        version: found.1,
        system,
    })
}

/// The number behind `token`, if it is a plausible one.
fn version(details: &str, token: &str) -> Option<u32> {
    let (_, behind) = details.split_once(token)?;
    let digits = behind.bytes().take_while(u8::is_ascii_digit).count();
    behind.get(..digits.min(6))?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_are_told_apart() {
        let name = |ua| read(ua).map(|a| (a.name, a.version, a.system));
        assert_eq!(
            name("Mozilla/5.0 (X11; Ubuntu; Linux i686; rv:31.0) Gecko/20100101 Firefox/31.0"),
            Some(("Firefox", 31, Some("Linux")))
        );
        assert_eq!(
            name(
                "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36 Edg/120.0"
            ),
            Some(("Edge", 120, Some("Windows")))
        );
        assert_eq!(
            name(
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.1 Safari/605.1.15"
            ),
            Some(("Safari", 17, Some("macOS")))
        );
    }

    #[test]
    fn libraries_are_clients() {
        assert_eq!(read("Python/3.11 websockets/17.0"), None);
        assert_eq!(read("Mozilla/5.0 (compatible; curl)"), None);
        assert_eq!(read("curl/8 Firefox/31"), None);
    }
}
