//! Questions: a subcommand for each report, made of what the report says of itself, so that a new one needs no line here.

use super::Local;
use crate::reports::{self, Ends, REPORTS, describe, parameters_of};
use clap::builder::PossibleValuesParser;
use clap::error::ErrorKind;
use clap::{Arg, ArgMatches, Args as Flags, Command, FromArgMatches, ValueEnum, ValueHint};

/// `report`.
#[derive(Debug)]
pub struct Report {
    /// Which.
    pub report: &'static dyn reports::Report,
    /// Its parameters, by name.
    pub given: Vec<(String, String)>,
    /// Who is asked, and how rows are printed.
    pub asking: Asking,
}

/// Who is asked, and how rows are printed.
#[derive(Debug, Flags)]
pub struct Asking {
    /// How to print the rows
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = RowFormat::Table)]
    pub format: RowFormat,
    /// The server to ask, such as http://127.0.0.1:7070
    #[arg(long, value_name = "URL", conflicts_with = "data", required_unless_present = "data", value_hint = ValueHint::Url)]
    pub to_url: Option<String>,
    /// A key of the organization that may read
    #[arg(long, env = "ROLLCALL_KEY", hide_env_values = true, value_name = "KEY")]
    pub key: Option<String>,
    #[command(flatten)]
    pub local: Local,
}

/// How rows are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RowFormat {
    /// For people
    Table,
    /// What the native API answers
    Json,
    /// With a header line
    Csv,
}

/// The subcommand of a report.
fn command(report: &'static dyn reports::Report) -> Command {
    let [about, _] = report.about();
    let mut command = Command::new(report.name()).about(about.trim_end_matches('.'));
    if report.name().contains('-') {
        command = command.alias(report.name().replace('-', "_"));
    }
    for name in parameters_of(report) {
        let Some(described) = describe(report, name) else { continue };
        let mut flag =
            Arg::new(name).long(name.replace('_', "-")).value_name(name.to_uppercase()).help(described.about[0].trim_end_matches('.'));
        if let Some(words) = described.words() {
            flag = flag.value_parser(PossibleValuesParser::new(words));
        }
        command = command.arg(flag.required(name == "from" && report.ends() == Ends::Needed));
    }
    Asking::augment_args(command)
}

impl Flags for Report {
    fn augment_args(command: Command) -> Command {
        command.subcommand_required(true).arg_required_else_help(true).subcommands(REPORTS.iter().map(|report| self::command(*report)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Report {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let (report, matches) = matches
            .subcommand()
            .and_then(|(name, matches)| Some((reports::find(name).ok()?, matches)))
            .ok_or_else(|| clap::Error::new(ErrorKind::MissingSubcommand))?;
        let value = |name: &&'static str| Some(((*name).to_owned(), matches.get_one::<String>(name)?.clone()));
        let given = parameters_of(report).iter().filter_map(value).collect();
        Ok(Self { report, given, asking: Asking::from_arg_matches(matches)? })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
