//! What charts look like, byte for byte.

use super::bars::Bar;
use super::columns::Columns;
use super::heat::Cell;
use super::line::Line;
use super::stays::Stay;
use super::tiles::{PLACES, Tile};
use super::{Point, bars, heat, spark, stays, tiles};
use crate::lang::count;
use insta::assert_snapshot;
use std::collections::HashSet;

/// One element a line, so that a difference is seen.
fn lines(svg: maud::Markup) -> String {
    svg.into_string().replace("><", ">\n<")
}

fn points(values: &[u64]) -> Vec<Point> {
    let point = |(at, &value): (usize, &u64)| Point {
        label: format!("{} Sep", at + 1),
        said: format!("{} Sep 2026: {value}", at + 1),
        value,
        running: at + 1 == values.len(),
        href: (at == 0).then(|| "/people?from=2026-09-01&to=2026-09-01".into()),
    };
    values.iter().enumerate().map(point).collect()
}

#[test]
fn a_line_is_dashed_where_its_period_runs_and_has_that_of_before_beside_it() {
    assert_snapshot!(lines(Line { points: points(&[12, 40, 38, 7]), before: vec![10, 31, 44, 39], axis: count }.draw()));
}

#[test]
fn a_line_of_a_running_period_alone_or_of_nothing_is_drawn_too() {
    let alone = Line { points: points(&[3]), before: vec![], axis: count }.draw().into_string();
    assert!(alone.contains("hollow") && !alone.contains("class=\"running\""), "{alone}");
    let nothing = Line { points: vec![], before: vec![], axis: count }.draw().into_string();
    assert!(nothing.contains("class=\"base\"") && !nothing.contains("<path"), "{nothing}");
}

#[test]
fn a_year_of_days_has_a_line_without_marks_but_every_day_is_said() {
    let mut year = points(&[5; 366]);
    year.iter_mut().for_each(|point| point.running = false);
    let svg = Line { points: year, before: vec![], axis: count }.draw().into_string();
    assert_eq!(svg.matches("<title>").count(), 366);
    assert_eq!(svg.matches("<circle").count(), 0);
    assert!(svg.matches("class=\"tick").count() <= 12);
}

#[test]
fn columns_are_as_high_as_their_lengths() {
    assert_snapshot!(lines(
        Columns { points: points(&[3_600_000, 9_000_000, 0]), axis: |millis| (millis / 3_600_000).to_string(), unit: 3_600_000 }.draw()
    ));
}

#[test]
fn bars_are_as_long_as_their_share_of_the_longest() {
    let bar = |label: &str, value: u64| Bar { label: label.into(), said: count(value), value, href: None };
    assert_snapshot!(lines(bars::draw(&[bar("desktop", 1200), bar("一个名字非常非常长的部门的名字", 300), bar("<&>", 0)])));
    assert_snapshot!(lines(bars::in_row(1, 3)));
}

#[test]
fn a_sparkline_ends_with_a_mark_that_is_hollow_while_the_period_runs() {
    assert_snapshot!(lines(spark::draw(&[3, 9, 6, 2], true)));
    assert!(!spark::draw(&[3, 9], false).into_string().contains("hollow"));
    assert!(!spark::draw(&[], true).into_string().contains("circle"));
}

#[test]
fn an_hour_of_the_week_is_as_large_as_its_value() {
    let cell = |row, hour, value: f64| Cell { row, hour, value, said: format!("{row} {hour}:00: {value}") };
    assert_snapshot!(lines(heat::draw(&["Mon", "Tue"], &[cell(0, 9, 100.0), cell(0, 10, 25.0), cell(1, 23, 0.0)])));
}

#[test]
fn each_province_has_a_square_of_its_own() {
    let squares: HashSet<_> = PLACES.iter().map(|(_, column, row)| (column, row)).collect();
    assert_eq!(squares.len(), 34);
    let mut ours: Vec<_> = PLACES.iter().map(|(code, ..)| format!("CN-{code}")).collect();
    let mut all: Vec<_> = rollcall_model::Place::divisions_of_china().map(|place| place.code()).collect();
    ours.sort();
    all.sort();
    assert_eq!(ours, all);
    let tile = |code, name: &str, value: u64| Tile {
        code,
        name: name.into(),
        value,
        shown: count(value),
        said: format!("{name}: {value}"),
        href: None,
    };
    assert_snapshot!(lines(tiles::draw(&[tile("SH", "上海", 666), tile("BJ", "北京", 120), tile("TW", "台湾", 0)])));
}

#[test]
fn a_session_is_a_row_for_each_user_and_a_bar_for_each_stay() {
    let stay = |row, from, to| Stay { row, from, to, said: format!("{row}: {from} to {to}") };
    let names = ["Li Wei".to_owned(), "O'Brien <script>".to_owned()];
    assert_snapshot!(lines(stays::draw(&names, &[stay(0, 0.0, 0.4), stay(0, 0.5, 1.0), stay(1, 0.25, 0.25)], ("09:00", "10:00"))));
}
