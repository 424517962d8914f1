//! Which files a file imports, as far as the text says: `use` declarations and paths, through re-exports to the file that
//! has the item. Tests are left out.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::graph::Edges;

/// The path of a module, or of an item in it: `["net", "tls"]`.
type ModulePath = Vec<String>;

/// The modules of a package.
pub(crate) struct Sources {
    files: BTreeMap<ModulePath, SourceFile>,
}

struct SourceFile {
    /// As in `net/tls/mod`.
    name: String,
    imports: BTreeSet<ModulePath>,
    /// The names that stand here for items of other modules.
    reexports: BTreeMap<String, ModulePath>,
}

impl Sources {
    pub(crate) fn read(root: &Path) -> Self {
        let mut texts = BTreeMap::new();
        for path in rust_files(root) {
            let relative = path.strip_prefix(root).unwrap();
            let module = module_of(relative);
            let is_test = module.iter().any(|part| part == "tests" || part == "test");
            if !is_test {
                let name = relative.with_extension("").to_string_lossy().replace('\\', "/");
                texts.insert(module, (name, without_tests(&fs::read_to_string(&path).unwrap())));
            }
        }
        let modules: BTreeSet<ModulePath> = texts.keys().cloned().collect();
        let read = |(module, (name, text)): (ModulePath, (String, String))| {
            let (imports, reexports) = imports_of(&text, &module, &modules);
            (module, SourceFile { name, imports, reexports })
        };
        Self { files: texts.into_iter().map(read).collect() }
    }

    /// Returns, for each file, the other files that it imports.
    pub(crate) fn edges(&self) -> Edges {
        let targets = |file: &SourceFile| {
            let names = file.imports.iter().filter_map(|path| self.file_of(path, 0));
            names.filter(|name| *name != file.name).collect::<BTreeSet<_>>()
        };
        self.files.values().map(|file| (file.name.clone(), targets(file))).collect()
    }

    /// The file that has the item of a path.
    fn file_of(&self, path: &[String], depth: usize) -> Option<String> {
        let length = (0..=path.len()).rev().find(|length| self.files.contains_key(&path[..*length]))?;
        let (module, rest) = path.split_at(length);
        let file = &self.files[module];
        let target = rest.first().and_then(|item| file.reexports.get(item));
        match target.filter(|_| depth < 8) {
            Some(target) => self.file_of(target, depth + 1).or_else(|| Some(file.name.clone())),
            None => Some(file.name.clone()),
        }
    }
}

/// What the text of a module imports, and what it re-exports.
fn imports_of(
    text: &str,
    module: &[String],
    modules: &BTreeSet<ModulePath>,
) -> (BTreeSet<ModulePath>, BTreeMap<String, ModulePath>) {
    let mut imports = BTreeSet::new();
    let mut reexports = BTreeMap::new();
    let (tokens, inline) = tokens(text);
    let mut at = 0;
    while at < tokens.len() {
        let before = at.checked_sub(1).map_or("", |at| tokens[at]);
        let mut here = module.to_vec();
        here.extend((0..inline[at]).map(|_| "inline".to_owned()));
        let child = |word: &str| {
            let mut path = here.clone();
            path.push(word.to_owned());
            modules.contains(&path)
        };
        let is_path = tokens.get(at + 1) == Some(&"::") && before != "::";
        if is_path && (matches!(tokens[at], "crate" | "super" | "self") || child(tokens[at])) {
            let is_reexport = before == "use" && is_visible(&tokens[..at - 1]);
            let mut leaves = Vec::new();
            tree(&tokens, &mut at, &here, &mut leaves);
            for (path, name) in leaves {
                let is_facade = is_reexport && path.starts_with(module);
                if is_reexport {
                    reexports.insert(name, path.clone());
                }
                if !is_facade {
                    imports.insert(path);
                }
            }
        } else {
            at += 1;
        }
    }
    (imports, reexports)
}

/// Whether the tokens before a `use` end in a visibility.
fn is_visible(before: &[&str]) -> bool {
    let line_start =
        before.iter().rposition(|token| matches!(*token, ";" | "{" | "}" | "]")).map_or(0, |at| at + 1);
    before[line_start..].contains(&"pub")
}

/// Reads one path or tree of paths, relative to the module `here`; each leaf with the name that it gets.
fn tree(tokens: &[&str], at: &mut usize, here: &[String], leaves: &mut Vec<(ModulePath, String)>) {
    let mut path = here.to_vec();
    while let Some(token) = tokens.get(*at) {
        *at += 1;
        match *token {
            "crate" => path.clear(),
            "super" => drop(path.pop()),
            "self" => {}
            "{" => {
                while tokens.get(*at).is_some_and(|token| *token != "}") {
                    tree(tokens, at, &path, leaves);
                    while tokens.get(*at).is_some_and(|token| !matches!(*token, "," | "}")) {
                        *at += 1;
                    }
                    *at += usize::from(tokens.get(*at) == Some(&","));
                }
                *at += 1;
                return;
            }
            // The arguments of a generic function.
            "<" => break,
            name => path.push(name.to_owned()),
        }
        if tokens.get(*at) != Some(&"::") {
            break;
        }
        *at += 1;
    }
    let renamed = tokens.get(*at).filter(|token| **token == "as").and_then(|_| tokens.get(*at + 1));
    let name = renamed.map(|name| (*name).to_owned()).or_else(|| path.last().cloned());
    leaves.push((path, name.unwrap_or_default()));
}

/// Words, `::` and other characters one by one, each with the number of inline modules around it; no comments, and no
/// texts in quotes on one line.
fn tokens(text: &str) -> (Vec<&str>, Vec<usize>) {
    let (mut tokens, mut depths) = (Vec::new(), Vec::new());
    // The indentation of the inline modules that a line is in: the text is formatted.
    let mut inline: Vec<&str> = Vec::new();
    for line in text.lines() {
        let indent = &line[..line.len() - line.trim_start().len()];
        if line.trim() == "}" && inline.last() == Some(&indent) {
            inline.pop();
        }
        let mut rest = line.split("//").next().unwrap();
        while let Some(first) = rest.chars().next() {
            let word = |c: char| c.is_alphanumeric() || c == '_';
            let length = match first {
                ':' if rest.starts_with("::") => 2,
                '"' => rest[1..].find('"').map_or(rest.len(), |end| end + 2),
                c if word(c) => rest.find(|c| !word(c)).unwrap_or(rest.len()),
                c => c.len_utf8(),
            };
            tokens.extend(Some(&rest[..length]).filter(|token| !token.trim().is_empty()));
            rest = &rest[length..];
        }
        depths.resize(tokens.len(), inline.len());
        if line.trim_end().ends_with('{') && line.split(' ').any(|word| word == "mod") {
            inline.push(indent);
        }
    }
    (tokens, depths)
}

/// The text up to its tests, which stand at its end.
fn without_tests(text: &str) -> String {
    let start = text.find("#[cfg(test)]\nmod tests").or_else(|| text.find("#[cfg(all(test"));
    text[..start.unwrap_or(text.len())].to_owned()
}

/// The path of a file's module: `["http", "tls"]`.
fn module_of(path: &Path) -> ModulePath {
    let parts = path.with_extension("");
    let parts = parts.iter().map(|part| part.to_string_lossy().into_owned());
    parts.filter(|part| !matches!(part.as_str(), "lib" | "main" | "mod")).collect()
}

/// Returns the lines of code with `word`, and the files that they are in, but for those in the folder `except`.
pub(crate) fn lines_with(word: &str, root: &Path, except: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for path in rust_files(root) {
        let relative = path.strip_prefix(root).unwrap().with_extension("");
        if relative.starts_with(except) {
            continue;
        }
        let name = relative.to_string_lossy().replace('\\', "/");
        let text = fs::read_to_string(&path).unwrap();
        let code = text.lines().map(|line| line.split("//").next().unwrap());
        let lines = code.filter(|code| code.contains(word));
        found.extend(lines.map(|line| (name.clone(), line.trim().to_owned())));
    }
    found.sort();
    found
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

#[test]
fn paths_of_all_forms_are_seen() {
    let rows = [
        ("use crate::error::Error;", "error::Error"),
        ("let x = crate::error::Error::new::<u8>(crate::name::X);", "error::Error::new name::X"),
        ("use crate::{call, client as c};", "call client"),
        (
            "use crate::{\n    auth::{self, url::{A, B}},\n    types::X,\n};",
            "auth auth::url::A auth::url::B types::X",
        ),
        ("use super::sibling;", "http::sibling"),
        ("use super::{sibling, super::retry::Retry};", "http::sibling retry::Retry"),
        ("mod inner {\n    use super::super::super::call;\n}\nuse super::super::name;", "call name"),
        ("use child::Thing;\nchild::work();", "http::tls::child::Thing http::tls::child::work"),
        ("// crate::call\nlet x = \"crate::call\"; // super::super::call", ""),
        ("pub(crate) fn f(x: Y, z: super::Z) {}", "http::Z"),
    ];
    let modules = BTreeSet::from([["http", "tls", "child"].map(str::to_owned).to_vec()]);
    for (text, expected) in rows {
        let module = ["http".to_owned(), "tls".to_owned()];
        let (imports, _) = imports_of(text, &module, &modules);
        let found: Vec<String> = imports.iter().map(|path| path.join("::")).collect();
        assert_eq!(found.join(" "), expected, "{text}");
    }
}

#[test]
fn reexports_lead_to_the_file_that_has_the_item() {
    let module = ["types".to_owned()];
    let modules = BTreeSet::from([["types", "any"].map(str::to_owned).to_vec()]);
    let (imports, reexports) = imports_of("pub use any::{Any as Every};\nuse any::Other;", &module, &modules);
    assert_eq!(imports.len(), 1, "a re-export of a child is no import");
    assert_eq!(reexports["Every"].join("::"), "types::any::Any");
}
