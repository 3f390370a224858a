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
fn csv_needs_a_header_of_known_fields() {
    assert!(refused("s,1740819600000,u\n", Format::Csv).starts_with("line 1: s: expected a header line of the fields id, app, session_id"));
    assert!(refused("user_id,colour\n1,2", Format::Csv).starts_with("line 1: colour: expected a header line"));
    assert_eq!(refused("user_id,user_id\n", Format::Csv), "line 1: user_id: expected each field once in the header");
    assert_eq!(refused("user_id\n\"a\nb", Format::Csv), "line 2: expected a closing quote");
}
