//! `users-by-place`: a row for each country or subdivision.

use super::{BadParameter, Cell, Common, Compared, Document, Given, Question, Report};
use rollcall_model::Place;
use rollcall_model::place::EXPECTED_COUNTRY;
use rollcall_model::reports::{PlaceLevel, UsersByPlace};

/// The report.
#[derive(Debug)]
pub struct UsersByPlaceReport;

impl Report for UsersByPlaceReport {
    fn name(&self) -> &'static str {
        "users-by-place"
    }

    fn columns(&self, _: &[(String, String)]) -> &'static [&'static str] {
        &["place", "name", "name_zh", "users", "share"]
    }

    fn own_parameters(&self) -> &'static [&'static str] {
        &["app", "by", "country"]
    }

    fn compared(&self, _: &[(String, String)]) -> Option<Compared> {
        Some(Compared::by(&["place"], &["users"]))
    }

    fn has_day_rows(&self) -> bool {
        false
    }

    fn about(&self) -> [&'static str; 2] {
        ["Distinct users by country or by subdivision, with their share.", "按国家或一级行政区的去重用户数及占比。"]
    }

    fn names_people(&self) -> bool {
        false
    }

    fn words(&self, parameter: &str) -> Option<&'static str> {
        match parameter {
            "by" => Some("country|subdivision"),
            _ => None,
        }
    }

    fn question(&self, common: Common, own: &Given<'_>) -> Result<Question, BadParameter> {
        let ask = ask(common, own)?;
        let columns = self.columns(own.pairs());
        Ok(Box::new(move |reports, org| {
            let answer = reports.users_by_place(org, &ask)?;
            let rows = answer.rows.iter().map(|row| {
                vec![
                    Cell::from(row.place.map(|place| place.code())),
                    Cell::from(row.place.and_then(Place::english_name).map(Into::into)),
                    Cell::from(row.place.and_then(Place::chinese_name).map(Into::into)),
                    Cell::from(row.users),
                    Cell::Decimal(row.share(&answer.rows) as f64 / 100.0),
                ]
            });
            Ok(Document::new(&answer.covers, columns, rows.collect()))
        }))
    }
}

/// The question.
pub(super) fn ask(Common { range, zone, .. }: Common, own: &Given<'_>) -> Result<UsersByPlace, BadParameter> {
    let by = match own.get("by") {
        None | Some("country") => PlaceLevel::Country,
        Some("subdivision") => PlaceLevel::Subdivision,
        other => return Err(BadParameter::new("by", other, "country or subdivision")),
    };
    let country = own.get("country");
    let country = country.map(|code| Place::country_only(code).ok_or_else(|| BadParameter::new("country", Some(code), EXPECTED_COUNTRY)));
    Ok(UsersByPlace { range, zone, by, country: country.transpose()?, app: own.app()? })
}
