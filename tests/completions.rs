//! The shell completions are what the flag definitions make of them, and the shells load them and offer what they should.
//!
//! `REGENERATE=1 cargo test --test completions` writes them anew; look at the difference before you commit it.

use std::fs;
use std::path::Path;
use std::process::Command;

use clap::ValueHint;
use clap::builder::PossibleValuesParser;
use clap_complete::Shell;
use wschat_sniff::cli;

/// The flags that are offered, with the values that they take.
fn command() -> clap::Command {
    let flags = cli::command();
    let shown = flags.get_arguments().filter(|flag| !flag.is_hide_set()).cloned();
    let mut command = clap::Command::new("wschat-sniff")
        .disable_help_flag(true)
        .disable_version_flag(true)
        .args(shown);
    for (flag, values) in cli::values() {
        command = command.mut_arg(flag, |arg| arg.value_parser(PossibleValuesParser::new(values)));
    }
    for (flag, hint) in [
        ("write", ValueHint::FilePath),
        ("post_rotate", ValueHint::CommandName),
        ("user", ValueHint::Username),
    ] {
        command = command.mut_arg(flag, |arg| arg.value_hint(hint));
    }
    command
}

/// What clap makes of them, and what it cannot express: the interfaces of this machine, and a `#` that begins no comment.
fn script(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command(), "wschat-sniff", &mut script);
    let script = String::from_utf8(script).unwrap();
    let replaced = |script: &str, from: &str, to: &str| {
        assert!(script.contains(from), "{shell}: {from}");
        script.replace(from, to)
    };
    match shell {
        Shell::Bash => ["--interface", "-i"].iter().fold(script, |script, flag| {
            let offers = |what: &str| {
                format!("                {flag})\n                    COMPREPLY=($(compgen {what} \"${{cur}}\"))")
            };
            let names = r#"-W "$(wschat-sniff -D 2>/dev/null | sed 's/^[0-9]*\.\([^ ]*\).*/\1/')" --"#;
            replaced(&script, &offers("-f"), &offers(names))
        }),
        Shell::Zsh => replaced(&script, ":interface:_default'", ":interface:_net_interfaces'"),
        _ => {
            let script = replaced(&script, " -s # ", " -s '#' ");
            let line = script.lines().find(|line| line.contains("-l interface ")).unwrap();
            let names = r#" -f -a "(wschat-sniff -D 2>/dev/null | string replace -r '^\d+\.(\S+).*' '\$1')""#;
            replaced(&script, line, &format!("{line}{names}"))
        }
    }
}

fn path(shell: Shell) -> std::path::PathBuf {
    let name = match shell {
        Shell::Bash => "wschat-sniff.bash",
        Shell::Zsh => "_wschat-sniff",
        _ => "wschat-sniff.fish",
    };
    Path::new(env!("CARGO_MANIFEST_DIR")).join("completions").join(name)
}

#[test]
fn the_completions_are_what_the_flags_make_of_them() {
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        let (path, made) = (path(shell), script(shell));
        if std::env::var_os("REGENERATE").is_some() {
            fs::write(&path, made).unwrap();
            continue;
        }
        assert!(
            fs::read_to_string(&path).unwrap_or_default() == made,
            "{} is not what the flags make of it: REGENERATE=1 cargo test --test completions, and look at the difference",
            path.display()
        );
    }
}

/// Runs a script of a shell that finds our program; what it prints, in words.
fn offered(shell: &str, arguments: &[&str]) -> Vec<String> {
    let program = Path::new(env!("CARGO_BIN_EXE_wschat-sniff")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    let output = Command::new(shell).args(arguments).env("PATH", path).output();
    let output = output.unwrap_or_else(|error| panic!("{shell}: {error}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && errors.is_empty(), "{shell}: {errors}");
    String::from_utf8_lossy(&output.stdout)
        .split_whitespace()
        .map(str::to_owned)
        .collect()
}

/// After these words: that is offered, and that is not.
const OFFERS: &[(&str, &[&str], &[&str])] = &[
    ("--format", &["trace", "messages", "json"], &["csv"]),
    ("--lang", &["en", "zh-CN", "es"], &["fr"]),
    ("--from", &["client", "server"], &[]),
    ("--opcode", &["text", "binary", "ping"], &[]),
    ("--color", &["auto", "always", "never"], &[]),
    ("-Q", &["in", "out", "inout"], &[]),
    ("-i", &["lo"], &[]),
];

/// Flags that are offered, and hidden ones.
const FLAGS: (&[&str], &[&str]) = (&["--summary", "--write-file"], &["--monitor-mode"]);

fn check(shell: &str, offers: impl Fn(&str, &str) -> Vec<String>) {
    for (flag, wanted, unwanted) in OFFERS {
        let all = offers(flag, "");
        for word in *wanted {
            assert!(
                all.iter().any(|other| other == word),
                "{shell}: {flag}: no {word} in {all:?}"
            );
        }
        assert!(
            !all.iter().any(|word| unwanted.contains(&word.as_str())),
            "{shell}: {flag}: {all:?}"
        );
    }
    let all = offers("", "--");
    for word in FLAGS.0 {
        assert!(all.iter().any(|other| other == word), "{shell}: no {word} in {all:?}");
    }
    assert!(
        !all.iter().any(|word| FLAGS.1.contains(&word.as_str())),
        "{shell}: {all:?}"
    );
}

#[test]
#[ignore = "needs bash"]
fn bash_offers_values_and_interfaces() {
    let file = path(Shell::Bash);
    check("bash", |before, word| {
        let at = if before.is_empty() { 1 } else { 2 };
        let words = if before.is_empty() {
            "wschat-sniff".to_owned()
        } else {
            format!("wschat-sniff {before}")
        };
        let script = format!(
            "source {}; COMP_WORDS=({words} '{word}'); COMP_CWORD={at}; \
             _wschat__sniff wschat-sniff '{word}' '{before}'; echo \"${{COMPREPLY[@]}}\"",
            file.display()
        );
        offered("bash", &["--norc", "-c", &script])
    });
}

#[test]
#[ignore = "needs fish"]
fn fish_offers_values_and_interfaces() {
    let file = path(Shell::Fish);
    check("fish", |before, word| {
        let blank = if before.is_empty() { "" } else { " " };
        let script = format!(
            "source {}; complete -C 'wschat-sniff {before}{blank}{word}' | string replace -r '\\t.*' ''; true",
            file.display()
        );
        offered("fish", &["--no-config", "-c", &script])
    });
}

#[test]
#[ignore = "needs zsh"]
fn zsh_loads_the_file() {
    let folder = path(Shell::Zsh).parent().unwrap().display().to_string();
    let script = format!(
        "fpath=({folder} $fpath); autoload -U compinit; compinit -u -D; print $_comps[wschat-sniff]; \
         autoload +X _wschat-sniff && print loaded"
    );
    assert_eq!(offered("zsh", &["-fc", &script]), ["_wschat-sniff", "loaded"]);
    let text = fs::read_to_string(path(Shell::Zsh)).unwrap();
    for (flag, wanted, _) in OFFERS.iter().filter(|(flag, ..)| *flag != "-i") {
        let line = text
            .lines()
            .find(|line| line.contains(&format!("{flag}=[")) || line.contains(&format!("{flag}+[")));
        assert!(
            line.is_some_and(|line| line.contains(&wanted.join(" ")) || wanted.iter().all(|w| line.contains(w))),
            "{flag}"
        );
    }
}
