//! Puts figures into the pages of the repository, between the markers `<!-- NAME -->` and `<!-- /NAME -->`.

use std::fs;
use std::path::Path;

/// Replaces what is between the markers of a page below `root`.
pub(crate) fn write(root: &str, page: &str, name: &str, figures: &str) {
    let path = Path::new(root).join(page);
    let text = fs::read_to_string(&path).expect("the page is there");
    let (start, end) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let (before, rest) = text.split_once(&start).expect("the page has the marker");
    let (_, after) = rest.split_once(&end).expect("the page has the second marker");
    let text = [before, &start, figures.trim_end(), "\n", &end, after].concat();
    fs::write(&path, text).expect("the page can be written");
}
