//! axe-core, from npm; installed under `target/`.

use serde_json::Value;

use crate::npm::installed;
use crate::webdriver::Browser;

/// The script; `Err` says why there is none.
pub fn script() -> Result<String, String> {
    let file = installed("axe-core@4")?.join("node_modules/axe-core/axe.min.js");
    std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))
}

/// The violations of WCAG 2.2, A and AA, and of best practice: rule, impact and elements, one a line.
pub fn violations(browser: &Browser<'_>, script: &str) -> String {
    browser.run(&format!("if (!window.axe) {{ {script} }}"));
    let found = browser.run(
        "return axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })\
         .then(({ violations, passes }) => passes.length < 5 ? 'axe has not run' : violations.map((v) => \
         `${v.id} (${v.impact}): ${v.nodes.map((n) => `${n.target} ${n.any.map((a) => a.message)}`).join(' | ')}`).join('\\n'))",
    );
    match found {
        Value::String(text) => text,
        other => panic!("{other}"),
    }
}
