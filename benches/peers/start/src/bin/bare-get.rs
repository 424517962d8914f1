//! The least that asks for an operation and prints it: ureq as it comes.

fn main() {
    let url = std::env::args().nth(1).expect("expected a URL");
    let mut response = ureq::get(&url).call().expect("a response comes");
    println!("{}", response.body_mut().read_to_string().expect("the body is text"));
}
