//! The plot of the documentation: overshoot and polls by length, both axes logarithmic.

use std::fmt::Write;

use super::simulation::{Figures, Waits};

pub(crate) fn svg(waits: &[Waits]) -> String {
    let mut svg = String::from(HEAD);
    let overshoot = Panel {
        left: 64.0,
        title: "Overshoot after the end, mean",
        bottom: 0.1,
        top: 100.0,
        ticks: &[("0.1 s", 0.1), ("1 s", 1.0), ("10 s", 10.0), ("100 s", 100.0)],
    };
    let polls = Panel {
        left: 508.0,
        title: "Polls until the end, mean",
        bottom: 1.0,
        top: 1000.0,
        ticks: &[("1", 1.0), ("10", 10.0), ("100", 100.0), ("1000", 1000.0)],
    };
    overshoot.draw(&mut svg, waits, |figures| figures.overshoot);
    polls.draw(&mut svg, waits, |figures| figures.polls);
    legend(&mut svg, waits);
    svg + "</svg>\n"
}

struct Panel {
    left: f64,
    title: &'static str,
    bottom: f64,
    top: f64,
    ticks: &'static [(&'static str, f64)],
}

impl Panel {
    fn draw(&self, svg: &mut String, waits: &[Waits], value: impl Fn(&Figures) -> f64) {
        let (left, right) = (self.left, self.left + WIDTH);
        put(svg, format_args!(r#"<text class="title" x="{left}" y="{}">{}</text>"#, TOP - 18.0, self.title));
        for (label, tick) in self.ticks {
            let y = self.y(*tick);
            put(svg, format_args!(r#"<path class="grid" d="M{left} {y:.1}H{right}"/>"#));
            put(
                svg,
                format_args!(r#"<text class="end" x="{}" y="{:.1}">{label}</text>"#, left - 8.0, y + 4.0),
            );
        }
        for (label, length) in super::report::COLUMNS {
            let x = self.x(length);
            put(svg, format_args!(r#"<path class="grid" d="M{x:.1} {TOP}V{BOTTOM}"/>"#));
            put(svg, format_args!(r#"<text class="mid" x="{x:.1}" y="{}">{label}</text>"#, BOTTOM + 20.0));
        }
        // Ours comes last, on top of the others.
        for (waits, (colour, width)) in waits.iter().zip(STROKES).rev() {
            let points = (0..=STEPS).map(|step| {
                let length = SHORTEST * (LONGEST / SHORTEST).powf(f64::from(step) / f64::from(STEPS));
                format!("{:.1},{:.1}", self.x(length), self.y(value(&waits.figures(length))))
            });
            let points = points.collect::<Vec<_>>().join(" ");
            put(
                svg,
                format_args!(r#"<polyline stroke="{colour}" stroke-width="{width}" points="{points}"/>"#),
            );
        }
    }

    fn x(&self, length: f64) -> f64 {
        self.left + WIDTH * share(length, SHORTEST, LONGEST)
    }

    fn y(&self, value: f64) -> f64 {
        BOTTOM - (BOTTOM - TOP) * share(value, self.bottom, self.top)
    }
}

fn share(value: f64, from: f64, to: f64) -> f64 {
    ((value / from).ln() / (to / from).ln()).clamp(0.0, 1.0)
}

fn legend(svg: &mut String, waits: &[Waits]) {
    let mut x = 64.0;
    for (waits, (colour, width)) in waits.iter().zip(STROKES) {
        put(svg, format_args!(r#"<path stroke="{colour}" stroke-width="{width}" d="M{x} 366h26"/>"#));
        put(svg, format_args!(r#"<text x="{}" y="370">{}</text>"#, x + 34.0, waits.label));
        x += 66.0 + 7.2 * waits.label.len() as f64;
    }
}

fn put(svg: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a string does not fail.
    let _ = writeln!(svg, "{line}");
}

const HEAD: &str = r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 900 390" role="img" aria-label="Overshoot and polls by length of the operation">
<style>
text { font: 13px system-ui, sans-serif; fill: #444 }
.title { font-size: 15px; font-weight: 600; fill: #222 }
.end { text-anchor: end } .mid { text-anchor: middle }
.grid { stroke: #e4e4e4 } path, polyline { fill: none; stroke-linecap: round; stroke-linejoin: round }
</style>
<rect width="900" height="390" rx="8" fill="#fff"/>
"##;

/// Ours, and the others in their order: colours that most eyes distinguish (Okabe and Ito).
const STROKES: [(&str, f64); 5] =
    [("#d55e00", 3.5), ("#0072b2", 1.8), ("#009e73", 1.8), ("#cc79a7", 1.8), ("#8a8a8a", 1.8)];

const WIDTH: f64 = 360.0;
const TOP: f64 = 56.0;
const BOTTOM: f64 = 310.0;

/// Lengths of operations, in seconds.
const SHORTEST: f64 = 3.0;
const LONGEST: f64 = 3600.0;
const STEPS: u32 = 48;
