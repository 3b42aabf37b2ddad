//! axe-core, from npm; installed under `target/`.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::webdriver::Browser;

/// The script; `Err` says why there is none.
pub fn script() -> Result<String, String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("clients/axe");
    let file = folder.join("node_modules/axe-core/axe.min.js");
    if !file.exists() {
        std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        let output = Command::new("npm")
            .args([
                "install",
                "--silent",
                "--no-audit",
                "--no-fund",
                "--ignore-scripts",
                "--fetch-retries=1",
                "--prefix",
            ])
            .arg(&folder)
            .arg("axe-core@4")
            .output()
            .map_err(|error| format!("npm: {error}"))?;
        if !output.status.success() {
            return Err(format!("npm: {}", String::from_utf8_lossy(&output.stderr)));
        }
    }
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
