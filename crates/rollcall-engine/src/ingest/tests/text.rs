//! NDJSON, JSON arrays and CSV.

use super::*;

#[test]
fn errors_of_ndjson_name_their_lines() {
    let good = String::from_utf8(samples::ndjson(&[Sample::new(1)])).unwrap();
    let bad = good.replace("s1", "");
    let body =
        [good.as_bytes(), b"\n \r\n{\"user_id\" 3}\r\n[1,\"a\"]\n{\"session_id\":\"\xff\"}\n", bad.as_bytes(), b"{} x\nnull\n\"\\ud800\""];
    let found = decoded(&body.concat(), Format::Ndjson).unwrap();
    assert_eq!((found.facts.len(), found.rejected), (1, 7));
    let errors: Vec<String> = found.errors.iter().map(ToString::to_string).collect();
    let starts = [
        "line 4: {\"user_id\" 3}\\r: expected a JSON object: expected `:` at column 12",
        "line 5: [1,…]: expected a JSON object",
        "line 6: {\"session_id\":\"\u{fffd}\"}: expected UTF-8 text: invalid byte at column 16",
        "line 7: session_id : expected a string of 1 to 256 bytes",
        "line 8: {} x: expected a JSON object: trailing characters at column 4",
        "line 9: null: expected a JSON object",
        "line 10: \"\\ud800\": expected a JSON object: unexpected end of hex escape at column 8",
    ];
    for start in starts {
        assert!(errors.iter().any(|error| error.starts_with(start)), "{start}\n{errors:#?}");
    }
}

#[test]
fn values_of_every_other_shape_are_shown_and_refused() {
    for (value, shown) in [
        ("1.5", "1.5"),
        ("true", "true"),
        ("{\"a\":{}}", "{\"a\":…}"),
        ("{}", "{}"),
        ("[\"audio\",3,4]", "[\"audio\",3,…]"),
        ("18446744073709551615", "18446744073709551615"),
        ("[[],1]", "[[],…]"),
        ("1e400", "line 1: {\"media\":1e400}: expected a JSON object: number out of range at column 14"),
    ] {
        let found = errors(format!("{{\"media\":{value}}}"), Format::Ndjson);
        let media = format!("line 1: media {shown}: expected a list of audio, video, screen, message, file");
        assert!(found.contains(&media) || found[0] == shown, "{found:?}");
    }
    let deep = format!("{{\"media\":{}", "[".repeat(10_000));
    assert!(errors(&deep, Format::Ndjson)[0].ends_with("recursion limit exceeded at column 136"), "{:?}", errors(&deep, Format::Ndjson));
}

#[test]
fn errors_of_a_json_array_name_the_fact_and_broken_arrays_are_refused() {
    let good = String::from_utf8(samples::ndjson(&[Sample::new(1)])).unwrap();
    let found = decoded(format!("[{good}, 3, {good}]").as_bytes(), Format::Json).unwrap();
    assert_eq!((found.facts.len(), found.rejected, found.errors[0].to_string().as_str()), (2, 1, "line 2: 3: expected a JSON object"));
    let broken = "line 2: expected a JSON array of objects";
    for (body, why) in [
        ("[{}, {\"a\" 3}]", "expected `:` at column 6 of the object"),
        ("[{},{\n\"a\" 3}]", "expected `:` at line 2 column 5 of the object"),
        ("[{}", "it ends too early"),
        ("[{},", "it ends too early"),
        ("[{},{\"a\":", "EOF while parsing a value at column 5 of the object"),
        ("[{},]", "expected value at column 1 of the object"),
        ("[{} {}]", "no comma or closing bracket follows the object before"),
        ("[{}] x", "something follows its end"),
    ] {
        assert_eq!(refused(body, Format::Json), format!("{broken}: {why}"), "{body}");
    }
    assert_eq!(refused(&good, Format::Json), "expected a JSON array of objects");
    let invalid = refused(b"[{\"user_id\":\"\xff\"}]", Format::Json);
    assert_eq!(invalid, "line 1: expected a JSON array of objects: invalid unicode code point at column 13 of the object");
}

#[test]
fn errors_of_csv_name_the_line_of_the_file() {
    let header = "\u{feff}session_id,session_started_at,user_id,joined_at,left_at\r\n";
    let good = "s,1740819600000,u,1740819600000,1740819600000";
    let body = format!(
        "{header}{good}\n\n\"a\nb\",1740819600000,u,1740819600000,1740819600000\r\nx,y\ns,1740819600000,u\",1740819600000,\"\"\"{good}\n\"s\"x,,,,\n{good}"
    );
    let found = decoded(body.as_bytes(), Format::Csv).unwrap();
    let errors: Vec<String> = found.errors.iter().map(ToString::to_string).collect();
    assert_eq!(found.facts.len(), 2, "{errors:#?}");
    assert_eq!(found.facts.session_ids.get(1), "s");
    let starts = [
        "line 4: session_id a\\nb: expected a string",
        "line 6: x,y: expected 5 values, as many as the header has, not 2",
        "line 7: s,1740819600000,u\",",
        "line 8: \"s\"x,,,,: expected a comma after a closing quote",
    ];
    for (error, start) in errors.iter().zip(starts) {
        assert!(error.starts_with(start), "{start}\n{errors:#?}");
    }
    assert_eq!(found.rejected, 4);
    assert!(errors_of_bytes(&[header.as_bytes(), b"\xff,,,,"].concat()).starts_with("line 2: \u{fffd},,,,: expected UTF-8 text"));
}

fn errors_of_bytes(body: &[u8]) -> String {
    errors(body, Format::Csv).remove(0)
}

#[test]
fn csv_needs_a_header_of_known_fields_and_everything_wrong_with_it_is_told_at_once() {
    let told = refused("s,1740819600000,u\n", Format::Csv);
    assert!(
        told.starts_with("line 1: s: expected a header line, separated by commas, semicolons or tabs, of the fields id, app, session_id"),
        "{told}"
    );
    let told = refused("user_id,colour,user_id,size,joined_at\n1,2,3,4,5", Format::Csv);
    assert!(told.starts_with("line 1: colour: expected a header line"), "{told}");
    let rest = "; line 1: user_id: expected each field once in the header; line 1: size: expected no such field; see the fields of an attendance\
                ; line 1: session_id is missing: expected a column of this name; line 1: session_started_at is missing: expected a column of this name\
                ; line 1: left_at is missing: expected a column of this name";
    assert!(told.ends_with(rest), "{told}");
    // Where the kind of session is said, it need not have begun.
    let calls = "session_id,session_kind,user_id,joined_at,left_at\ns,call,u,1740819600000,1740819600000\n";
    assert_eq!(decoded(calls.as_bytes(), Format::Csv).unwrap().facts.len(), 1);
    let open = [CSV_HEADER, b"\"a\nb"].concat();
    assert_eq!(refused(open, Format::Csv), "line 2: expected a closing quote");
}

const GOOD: &str = "s,2025-03-01T09:00:00Z,u,2025-03-01T09:00:00Z,2025-03-01T10:00:00Z";

#[test]
fn rows_without_values_are_skipped() {
    let header = String::from_utf8(CSV_HEADER.to_vec()).unwrap();
    let body = format!("{header}{GOOD}\n,,,,\n\r\n  \n , ,,,\r\n\"\",,,,\"\"\n,,,,,,,\n{GOOD},x\n");
    let found = decoded(body.as_bytes(), Format::Csv).unwrap();
    assert_eq!((found.facts.len(), found.rejected), (1, 1));
    assert!(found.errors[0].to_string().starts_with("line 9: "), "{:?}", found.errors);
    assert_eq!(refused(format!("{header},,,,\n,,,,\n"), Format::Csv), "expected at least one fact");
    assert_eq!(refused(&header, Format::Csv), "expected at least one fact");
}

#[test]
fn empty_values_and_columns_without_a_name_at_the_end_say_nothing() {
    let header = str::from_utf8(CSV_HEADER).unwrap().trim_end();
    for (more, text) in [
        ("", format!("{header}\n{GOOD},,,,\n{GOOD}, ,\"\"\r\n{GOOD}")),
        (",,,", format!("{header},,,\n{GOOD}\n{GOOD},,,\n{GOOD},,,,,,,\n")),
        (",", format!("{header}, \r\n{GOOD},\r\n{GOOD}\r\n{GOOD},,\r\n")),
    ] {
        let found = decoded(text.as_bytes(), Format::Csv).unwrap();
        assert_eq!((found.facts.len(), found.rejected), (3, 0), "{text}: {:?}", found.errors);
        let wrong = errors(format!("{header}{more}\n{GOOD},,,,,x,\n"), Format::Csv).remove(0);
        assert!(wrong.ends_with("expected 5 values, as many as the header has, not 10"), "{wrong}");
    }
    let wrong = errors(format!("{header},,,\n{GOOD}\n{GOOD},x,,\n"), Format::Csv).remove(0);
    assert!(wrong.starts_with("line 3: ") && wrong.ends_with("expected no value after column 5: column 6 has no name"), "{wrong}");
    let wrong = refused(format!("{}\n{GOOD}\n", header.replacen(',', ",,", 1)), Format::Csv);
    assert!(wrong.ends_with("expected a name for each column: column 2 has no name"), "{wrong}");
}

#[test]
fn rows_without_values_and_the_line_of_excel_may_stand_before_the_header() {
    let plain = [CSV_HEADER, GOOD.as_bytes(), b"\n"].concat();
    let expected = shown(&decoded(&plain, Format::Csv).unwrap());
    let plain = String::from_utf8(plain).unwrap();
    for (before, separator) in
        [(",,,\r\n\n", ","), (" \n;;\n", ";"), ("sep=;\r\n", ";"), ("\"SEP=,\"\n,,\n", ","), ("sep=\t\n", "\t"), ("\u{feff}sep=;\n", ";")]
    {
        let text = format!("{before}{}", plain.replace(',', separator));
        assert_eq!(shown(&decoded(text.as_bytes(), Format::Csv).unwrap()), expected, "{text}");
        let wrong = refused(format!("{before}session{separator}user\n"), Format::Csv);
        let line = before.lines().count() + 1;
        assert!(wrong.starts_with(&format!("line {line}: session: expected a header line")), "{wrong}");
    }
    // What it says goes before what the header looks like.
    assert!(refused(format!("sep=;\n{plain}"), Format::Csv).starts_with("line 2: session_id,"));
    assert!(refused("sep=x\n", Format::Csv).starts_with("line 1: sep=x: expected a header line"));
    let limits = Limits { facts: 3, ..Limits::default() };
    let blank = format!("{}{plain}", "sep=,\n".repeat(4));
    let told = decoded_within(blank.as_bytes(), Format::Csv, Compression::None, &limits).unwrap_err();
    assert_eq!(told, "line 4: expected at most 3 blank lines in one request (limits.facts)");
}

#[test]
fn values_may_be_separated_by_semicolons_or_tabs() {
    let body =
        [CSV_HEADER, GOOD.as_bytes(), b"\n\"a,b\",2025-03-01T09:00:00Z,\"u;v\",2025-03-01T09:00:00Z,2025-03-01T10:00:00Z\n"].concat();
    let expected = decoded(&body, Format::Csv).unwrap();
    assert_eq!((expected.facts.session_ids.get(1), expected.facts.user_ids.get(1)), ("a,b", "u;v"));
    for separator in [";", "\t"] {
        let text = String::from_utf8(body.clone()).unwrap().replace("\"a,b\"", "AB").replace(',', separator).replace("AB", "\"a,b\"");
        assert_eq!(shown(&decoded(text.as_bytes(), Format::Csv).unwrap()), shown(&expected), "{text}");
        let wrong = text.replace("\"u;v\"", "\"u;v\"x");
        let what = if separator == ";" { "a semicolon after a closing quote" } else { "a tab after a closing quote" };
        assert!(errors_of_bytes(wrong.as_bytes()).ends_with(what));
    }
}

#[test]
fn texts_are_read_in_the_encoding_that_they_say_or_that_is_said() {
    let text = [std::str::from_utf8(CSV_HEADER).unwrap(), &GOOD.replace("s,", "周会,").replace("u,", "林晨🎧,"), "\n"].concat();
    let expected = shown(&decoded(text.as_bytes(), Format::Csv).unwrap());
    let utf16 = |mark: &str, bytes: fn(u16) -> [u8; 2]| format!("{mark}{text}").encode_utf16().flat_map(bytes).collect::<Vec<u8>>();
    let read = |body: &[u8], charset: Option<&str>| {
        let set = |context: &mut Context<'_>| context.charset = charset.map(|name| Charset::from_name(name).unwrap());
        decoded_by::<Attendances>(body, Format::Csv, Compression::None, set).map(|found| shown(&found))
    };
    let gb18030 = encoding_rs::GB18030.encode(&text).0.into_owned();
    for (body, charset) in [
        (format!("\u{feff}{text}").into_bytes(), None),
        (utf16("\u{feff}", u16::to_le_bytes), None),
        (utf16("\u{feff}", u16::to_be_bytes), None),
        (utf16("\u{feff}", u16::to_be_bytes), Some("gb18030")),
        (utf16("", u16::to_le_bytes), Some("utf-16")),
        (utf16("", u16::to_be_bytes), Some("UTF-16BE")),
        (gb18030.clone(), Some("gb18030")),
        (gb18030.clone(), Some("GBK")),
        (gb18030.clone(), Some("gb2312")),
    ] {
        assert_eq!(read(&body, charset).as_ref(), Ok(&expected), "{charset:?}");
        for compression in [Compression::Gzip, Compression::Zstd] {
            let set = |context: &mut Context<'_>| context.charset = charset.map(|name| Charset::from_name(name).unwrap());
            let found = decoded_by::<Attendances>(&samples::compress(&body, compression), Format::Csv, compression, set);
            assert_eq!(shown(&found.unwrap()), expected, "{charset:?} {compression:?}");
        }
    }
    let told = read(&utf16("", u16::to_le_bytes), None).unwrap_err();
    assert!(told.starts_with("expected UTF-8 text: this looks like UTF-16 without a byte order mark"), "{told}");
    let hint = "expected UTF-8 text: invalid byte at column 1; if it is GB18030, as Excel writes in Chinese, say charset=gb18030 in the content type (rollcall import: --encoding gb18030)";
    assert!(errors_of_bytes(&gb18030).ends_with(hint), "{}", errors_of_bytes(&gb18030));
    // What looks like GB18030 may be anything: it is never taken for it unasked.
    let latin = [CSV_HEADER, GOOD.replace("u,", "Andr\u{1}s,").replace('\u{1}', "X").as_bytes()].concat();
    let latin: Vec<u8> = latin.into_iter().map(|byte| if byte == b'X' { 0xe9 } else { byte }).collect();
    assert!(errors_of_bytes(&latin).contains("expected UTF-8 text: invalid byte"));
    let broken = [&gb18030[..], &[0xff, 0xff]].concat();
    assert_eq!(read(&broken, Some("gb18030")).unwrap_err(), "line 3: expected gb18030 text without invalid bytes");
    assert_eq!(Charset::from_name("latin1"), None);
    let ndjson = samples::ndjson(&[Sample::new(1)]);
    let marked = [b"\xef\xbb\xbf".as_slice(), &ndjson].concat();
    assert_eq!(shown(&decoded(&marked, Format::Ndjson).unwrap()), shown(&decoded(&ndjson, Format::Ndjson).unwrap()));
}

#[test]
fn texts_in_other_encodings_are_read_the_same_whatever_their_length() {
    let samples: Vec<Sample> = (0..3_000).map(Sample::new).collect();
    let text = String::from_utf8(samples::ndjson(&samples)).unwrap();
    let expected = shown(&decoded(text.as_bytes(), Format::Ndjson).unwrap());
    let utf16: Vec<u8> = format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(shown(&decoded(&utf16, Format::Ndjson).unwrap()), expected);
}

#[test]
fn a_time_without_an_offset_is_read_by_the_zone_that_is_said() {
    let text = [std::str::from_utf8(CSV_HEADER).unwrap(), &GOOD.replace("T09:00:00Z", " 17:00:00")].concat();
    assert_eq!(
        errors(&text, Format::Csv)[1],
        "line 2: joined_at 2025-03-01 17:00:00: expected an offset such as +08:00, or, for times without one, the parameter zone (rollcall import: --time-zone), such as zone=Asia/Shanghai"
    );
    let shanghai = TimeZone::get("Asia/Shanghai").unwrap();
    let found: Decoded<Attendances> =
        decoded_by(text.as_bytes(), Format::Csv, Compression::None, |context| context.zone = Some(&shanghai)).unwrap();
    assert_eq!((found.facts.joined_at[0], found.facts.left_at[0]), (1_740_819_600_000, 1_740_823_200_000));
}
