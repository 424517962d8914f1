//! The page about polling delays, and what it has to show of the default.

#[path = "../../benches/polling/plot.rs"]
mod plot;
#[path = "../../benches/polling/report.rs"]
mod report;
#[path = "../../benches/polling/simulation.rs"]
mod simulation;

#[test]
fn the_page_and_the_plot_are_those_of_the_simulator() {
    let waits = simulation::run();
    let remedy = "`cargo bench --bench polling` writes it anew";
    // Other systems have other logarithms, which differ in the last digit.
    assert!(
        cfg!(windows) || report::page(&waits) == include_str!("../../docs/polling.md"),
        "docs/polling.md is old: {remedy}"
    );
    assert!(
        cfg!(windows) || plot::svg(&waits) == include_str!("../../docs/polling.svg"),
        "docs/polling.svg is old: {remedy}"
    );

    let [ours, python, ..] = &waits[..] else { panic!("five kinds of delays") };
    for (column, length) in report::COLUMNS {
        let overshoot = ours.figures(length).overshoot;
        assert!(overshoot <= f64::max(0.3, 0.06 * length) && overshoot <= 15.0, "{column}: {overshoot} s");
    }
    let hour = |waits: &simulation::Waits| waits.figures(3600.0).polls;
    assert!(hour(ours) < hour(python) / 2.0, "{} and {}", hour(ours), hour(python));
}
