//! The graph of a pipeline's tables, as SVG with a link at every box.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::html::Html;
use super::layout::{Edge, Rectangle, layout};
use super::page::anchor;
use crate::lineage::{Lineage, TableKind};

/// How far to the right a curve leaves its line.
const BEND: f64 = 0.5;

/// Draws which table reads which.
pub(super) fn graph(html: &mut Html, lineage: &Lineage) {
    let names: Vec<&str> = lineage.tables.iter().map(|table| table.name.as_str()).collect();
    let index = |name: &str| names.iter().position(|known| *known == name);
    let mut edges = BTreeSet::new();
    for (to, table) in lineage.tables.iter().enumerate() {
        edges.extend(table.reads.iter().filter_map(|read| Some((index(read)?, to))));
    }
    let drawn = layout(&names, &edges);
    let (width, height) = (number(drawn.width), number(drawn.height));
    let size = [
        ("viewBox", format!("0 0 {width} {height}")),
        ("width", width),
        ("height", height),
        ("role", "img".to_owned()),
        ("aria-label", format!("Which table of {} reads which", lineage.pipeline)),
    ];
    let size: Vec<(&'static str, &str)> =
        size.iter().map(|(name, value)| (*name, value.as_str())).collect();
    html.element("div", &[("class", "graph")], |html| {
        html.element("svg", &size, |html| {
            for edge in &drawn.edges {
                let ends = [
                    ("class", "edge"),
                    ("d", &curve(edge)),
                    ("data-from", names[edge.from]),
                    ("data-to", names[edge.to]),
                ];
                html.element("path", &ends, |_| {});
            }
            for (table, place) in lineage.tables.iter().zip(&drawn.boxes) {
                node(html, &lineage.pipeline, &table.name, table.kind, *place);
            }
        });
    });
}

fn node(html: &mut Html, pipeline: &str, name: &str, kind: TableKind, place: Rectangle) {
    let link = match kind {
        TableKind::Identity => format!("#{}", anchor(pipeline, "identity")),
        _ => format!("#{}", anchor(pipeline, name)),
    };
    let class = format!("node {}", kind.as_str());
    html.element("a", &[("href", &link), ("class", &class), ("data-table", name)], |html| {
        let shape = [
            ("x", number(place.x)),
            ("y", number(place.y)),
            ("width", number(place.width)),
            ("height", number(place.height)),
            ("rx", "5".to_owned()),
        ];
        let shape: Vec<(&'static str, &str)> =
            shape.iter().map(|(name, value)| (*name, value.as_str())).collect();
        html.element("rect", &shape, |_| {});
        let middle = number(place.x + place.width / 2.0);
        let base = number(place.y + place.height / 2.0 + 4.0);
        html.leaf("text", &[("x", &middle), ("y", &base), ("text-anchor", "middle")], name);
    });
}

/// Returns the line of an edge: straight through layers, curved between them.
fn curve(edge: &Edge) -> String {
    let mut path = String::new();
    let mut points = edge.points.iter();
    let Some(&(mut x, mut y)) = points.next() else {
        return path;
    };
    let _ = write!(path, "M{} {}", number(x), number(y));
    for &(to_x, to_y) in points {
        let bend = (to_x - x) * BEND;
        let _ = write!(
            path,
            " C{} {} {} {} {} {}",
            number(x + bend),
            number(y),
            number(to_x - bend),
            number(to_y),
            number(to_x),
            number(to_y)
        );
        (x, y) = (to_x, to_y);
    }
    path
}

/// Writes a length with one decimal, the same on every machine.
fn number(length: f64) -> String {
    format!("{length:.1}")
}
