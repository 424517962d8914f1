//! Lists operations: one by one over all pages, and page by page with a token to resume from.
//!
//! `cargo run --example list`, or with `-- ENDPOINT KEY_FILE PARENT` for a real service.

mod shared;

use longrunning::Operation;

fn main() -> shared::Result<()> {
    let service = shared::service(|server| {
        for n in 1..=25 {
            server.insert(Operation::running(format!("projects/demo/locations/l/operations/{n}")));
        }
        Ok("projects/demo/locations/l".to_owned())
    })?;
    let client = &service.client;

    let mut running = 0;
    for operation in client.list(&service.name).page_size(10) {
        running += usize::from(!operation?.is_done());
    }
    println!("{running} running");

    let mut pages = client.list(&service.name).page_size(10).pages();
    if let Some(page) = pages.next() {
        let page = page?;
        println!(
            "first page: {} operations, {} places unreachable",
            page.operations.len(),
            page.unreachable.len()
        );
    }
    // The token can be kept, and the listing resumed in another process.
    if let Some(token) = pages.page_token() {
        let rest = client.list(&service.name).page_size(10).page_token(token).into_iter().count();
        println!("{rest} more after it");
    }
    Ok(())
}
