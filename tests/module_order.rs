//! Modules are in an order: each imports only from those above it in the list of `src/lib.rs`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// From the top of the list to the bottom: each may use those before it.
const ORDER: &[&str] = &[
    "base", "bounded", "wire", "tcp", "record", "session", "layer", "dissect", "engine", "select", "compare",
    "annotate", "export", "capture", "server", "cli", "run",
];

#[test]
fn the_guided_tour_lists_the_modules_in_their_order() {
    let library = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).unwrap();
    let first_cells = library
        .lines()
        .filter_map(|line| line.strip_prefix("//! | ")?.split(" |").next());
    let names: Vec<&str> = first_cells
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .filter(|name| !name.contains("::"))
        .collect();
    assert_eq!(names, ORDER);
}

/// The modules that may not do I/O, read a clock, log or start a thread: time comes with the packet.
const CORE: &[&str] = &[
    "base", "bounded", "wire", "tcp", "record", "session", "layer", "dissect", "engine", "select", "compare",
];

/// What the core may not name.
const IMPURE: &[&str] = &[
    "std::fs",
    "std::io",
    "std::thread",
    "std::process",
    "std::env",
    "SystemTime",
    "Instant::now",
    "println!",
    "eprintln!",
    "std::net::Tcp",
    "std::net::Udp",
];

#[test]
fn no_import_against_the_order() {
    let mut against = Vec::new();
    for file in sources() {
        let Some(own) = module_of(&file) else { continue };
        for (line, used) in imports(&fs::read_to_string(&file).unwrap()) {
            let Some(used) = ORDER.iter().position(|f| *f == used) else {
                continue;
            };
            if used > own {
                against.push(format!(
                    "{}:{line}: {} uses {}",
                    file.display(),
                    ORDER[own],
                    ORDER[used]
                ));
            }
        }
    }
    assert!(against.is_empty(), "imports against the order:\n{}", against.join("\n"));
}

#[test]
fn the_core_does_no_io() {
    let mut impure = Vec::new();
    for file in sources() {
        let Some(own) = module_of(&file) else { continue };
        if !CORE.contains(&ORDER[own]) {
            continue;
        }
        // Tests may say what they measured.
        if file
            .file_stem()
            .is_some_and(|stem| stem.to_string_lossy().ends_with("tests"))
        {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for (n, line) in code.lines().enumerate() {
            let line = line.split("//").next().unwrap_or_default();
            impure.extend(
                IMPURE
                    .iter()
                    .filter(|w| line.contains(**w))
                    .map(|w| format!("{}:{}: {w}", file.display(), n + 1)),
            );
        }
    }
    assert!(impure.is_empty(), "the core reaches outside:\n{}", impure.join("\n"));
}

#[test]
fn only_capture_names_the_pcap_crate() {
    for file in sources() {
        if module_of(&file).is_some_and(|f| ORDER[f] == "capture") {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        assert!(
            !text
                .lines()
                .any(|l| l.contains("pcap::") && !l.trim_start().starts_with("//")),
            "{} names the pcap crate",
            file.display()
        );
    }
}

/// A check of the checker: it sees every form of import that the sources use.
#[test]
fn imports_are_found_in_every_form() {
    let text = "use crate::run;\nuse crate::{\n    cli::Args,\n    base::{Gap, Side},\n};\nlet x = crate::tcp::Table;\n// crate::annotate::texts\n";
    let found: Vec<String> = imports(text).into_iter().map(|(_, f)| f).collect();
    assert_eq!(found, ["run", "cli", "base", "tcp"]);
}

fn sources() -> Vec<PathBuf> {
    let mut files = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    files.sort();
    assert!(files.len() > 10, "the sources were not found");
    files
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, files);
        } else if path.extension().is_some_and(|e| e == "rs") {
            files.push(path);
        }
    }
}

fn module_of(file: &Path) -> Option<usize> {
    let below = file
        .strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src"))
        .unwrap();
    let first = below.components().next()?.as_os_str().to_str()?;
    ORDER.iter().position(|f| *f == first.trim_end_matches(".rs"))
}

/// The first path segments behind every `crate::` outside of comments, with their lines.
fn imports(text: &str) -> Vec<(usize, String)> {
    let code: String = text
        .lines()
        .map(|l| l.split("//").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join("\n");
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let line = code[..at].matches('\n').count() + 1;
        let rest = &code[at + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut item = String::new();
            for c in group.chars() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => found.push((line, first_name(&std::mem::take(&mut item)))),
                    _ if depth == 0 => item.push(c),
                    _ => {}
                }
            }
            found.push((line, first_name(&item)));
        } else {
            found.push((line, first_name(rest)));
        }
    }
    found.retain(|(_, name)| !name.is_empty());
    found
}

fn first_name(path: &str) -> String {
    path.trim_start()
        .chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect()
}

/// Where there are circles still. What carries a protocol that carries it again (IP in GRE in IP) is one by nature.
const CIRCLES_LEFT: &[&str] = &[
    "annotate::",
    "capture::filter",
    "export::tcpdump::",
    "layer::",
    "tcp::",
    "wire::",
];

/// In one folder, two files (or folders) that import from each other are one idea in two places.
#[test]
fn no_circle_inside_a_module() {
    let tree = Tree::read();
    let mut circles = BTreeSet::new();
    for (folder, edges) in tree.edges() {
        for from in edges.keys() {
            let mut reached = BTreeSet::new();
            let mut next = vec![from.clone()];
            while let Some(name) = next.pop() {
                for to in edges.get(&name).into_iter().flatten() {
                    if reached.insert(to.clone()) {
                        next.push(to.clone());
                    }
                }
            }
            if reached.contains(from) {
                circles.insert(format!("{folder}::{from}"));
            }
        }
    }
    circles.retain(|circle| !CIRCLES_LEFT.iter().any(|left| circle.starts_with(left)));
    assert!(circles.is_empty(), "in a circle:\n{circles:#?}");
}

#[test]
fn nothing_is_imported_over_two_floors_of_super() {
    for file in sources() {
        let text = fs::read_to_string(&file).unwrap();
        assert!(!text.contains("super::super"), "{}", file.display());
    }
}

/// The modules of the library, by path (`layer::ws::header`), with their code.
struct Tree(BTreeMap<String, String>);

impl Tree {
    fn read() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut modules = BTreeMap::new();
        for file in sources() {
            let below = file.strip_prefix(&root).unwrap().with_extension("");
            let parts: Vec<_> = below
                .iter()
                .map(|part| part.to_str().unwrap())
                .filter(|part| *part != "mod")
                .collect();
            // Tests may look at everything.
            if parts
                .iter()
                .any(|part| part.ends_with("tests") || matches!(*part, "testing" | "cases" | "properties"))
            {
                continue;
            }
            let text = fs::read_to_string(&file).unwrap();
            let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
            let code: Vec<_> = code
                .lines()
                .map(|line| line.split("//").next().unwrap_or_default())
                .collect();
            modules.insert(parts.join("::"), code.join("\n"));
        }
        Self(modules)
    }

    /// For each folder: which of its members import from which others.
    fn edges(&self) -> BTreeMap<String, BTreeMap<String, BTreeSet<String>>> {
        let mut edges: BTreeMap<String, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
        for (module, code) in &self.0 {
            for path in paths(code) {
                let Some(target) = self.resolve(module, &path) else {
                    continue;
                };
                let (from, to): (Vec<_>, Vec<_>) = (module.split("::").collect(), target.split("::").collect());
                let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
                // From a member of a folder to another one, not to the folder itself.
                if common > 0 && common < from.len() && common < to.len() {
                    let members = edges.entry(from[..common].join("::")).or_default();
                    members
                        .entry(from[common].into())
                        .or_default()
                        .insert(to[common].into());
                }
            }
        }
        edges
    }

    /// The module in which what `path` names is, as seen from `module`.
    fn resolve(&self, module: &str, path: &str) -> Option<String> {
        let mut at: Vec<&str> = module.split("::").collect();
        let mut parts = path.split("::").peekable();
        match *parts.peek()? {
            "crate" => at.clear(),
            "super" => {
                at.pop();
            }
            "self" => {}
            _ => return None,
        }
        parts.next();
        for part in parts {
            let below = at.iter().copied().chain([part]).collect::<Vec<_>>().join("::");
            if self.0.contains_key(&below) {
                at.push(part);
                continue;
            }
            // A name that a folder passes on from one of its members.
            let here = at.join("::");
            if let Some(code) = self.0.get(&here) {
                for reexport in paths_of_uses(code) {
                    let (from, name) = reexport.rsplit_once("::")?;
                    let first = from.trim_start_matches("self::").split("::").next()?;
                    if name == part && self.0.contains_key(&format!("{here}::{first}")) {
                        return Some(format!("{here}::{first}"));
                    }
                }
            }
            break;
        }
        Some(at.join("::"))
    }
}

/// Paths that begin with `crate`, `super` or `self`, groups resolved.
fn paths(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for word in ["crate::", "super::", "self::"] {
        for (at, _) in code.match_indices(word) {
            let before = code[..at].chars().next_back();
            if before.is_none_or(|c| !(c.is_alphanumeric() || c == '_' || c == ':' || c == '('))
                || before == Some('(') && !code[..at].ends_with("pub(in ")
            {
                found.extend(expand(&code[at..]));
            }
        }
    }
    found
}

/// What `use` statements without `crate` or `super` name.
fn paths_of_uses(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("use ") {
        found.extend(expand(&code[at + 4..]));
    }
    found
}

/// `a::{b, c::d}` is `a::b` and `a::c::d`.
fn expand(text: &str) -> Vec<String> {
    let end = text
        .find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'))
        .unwrap_or(text.len());
    let (head, rest) = text.split_at(end);
    let Some(group) = rest.strip_prefix('{').filter(|_| head.ends_with("::")) else {
        return vec![head.trim_end_matches(':').to_owned()];
    };
    let mut found = Vec::new();
    let (mut depth, mut start) = (0, 0);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            ',' | '}' if depth == 0 => {
                let item = group[start..at].trim();
                if !item.is_empty() {
                    found.extend(expand(item).into_iter().map(|item| format!("{head}{item}")));
                }
                start = at + 1;
                if c == '}' {
                    break;
                }
            }
            '}' => depth -= 1,
            _ => {}
        }
    }
    found
}
