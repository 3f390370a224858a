//! Lines into bodies: cut at line ends, never parsed.

use bytes::Bytes;
use rollcall_engine::ingest::Separator;
use rollcall_model::Receipt;
use serde::{Deserialize, Serialize};
use std::io::{self, BufRead, Error, ErrorKind, Read};

/// A line longer than this is no fact; it would only fill the memory.
const LONGEST_LINE: u64 = 16 << 20;

/// A place in a file, before compression.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Bytes before it.
    pub bytes: u64,
    /// Lines before it.
    pub lines: u64,
}

/// What one request carries.
#[derive(Debug)]
pub struct Body {
    pub bytes: Bytes,
    lines: Lines,
    /// Whether nothing is in it but blank lines, or rows without values.
    is_blank: bool,
    /// What of the file could not be made into facts, with the file's line numbers.
    pub unmade: Receipt,
    /// Where the file goes on after it.
    pub end: Place,
}

/// Which lines of the file those of a body are.
#[derive(Debug)]
enum Lines {
    /// Those after this many.
    After(u64),
    /// First the header of the file, of so many lines, then those after this many.
    HeaderAndAfter(u64, u64),
    /// Each was made from this one.
    MadeOf(Vec<u64>),
}

impl Body {
    /// A whole file.
    pub fn whole(bytes: Vec<u8>) -> Self {
        let end = Place { bytes: bytes.len() as u64, lines: 0 };
        Self { is_blank: bytes.is_empty(), bytes: bytes.into(), lines: Lines::After(0), unmade: Receipt::default(), end }
    }

    /// Facts made of lines of the file, and what could not be made into any.
    pub fn made(bytes: Vec<u8>, lines: Vec<u64>, unmade: Receipt, end: Place) -> Self {
        Self { bytes: bytes.into(), lines: Lines::MadeOf(lines), is_blank: false, unmade, end }
    }

    /// The number of the first line of the file that is the body's own.
    pub fn first_line(&self) -> u64 {
        match &self.lines {
            Lines::After(before) | Lines::HeaderAndAfter(_, before) => before + 1,
            Lines::MadeOf(lines) => lines.first().copied().unwrap_or_default(),
        }
    }

    /// Whether nothing is in it but blank lines, or rows without values.
    pub fn is_blank(&self) -> bool {
        self.is_blank
    }

    /// Whether it is blank, or was made of lines in which nobody did anything.
    pub fn has_nothing(&self) -> bool {
        self.is_blank || matches!(&self.lines, Lines::MadeOf(lines) if lines.is_empty())
    }

    /// Whether a refusal is of the body as a whole, not of single facts: of its header, or without a field or a value.
    pub fn is_refused_as_a_whole(&self, receipt: &Receipt) -> bool {
        let header = if let Lines::HeaderAndAfter(header, _) = self.lines { header } else { 0 };
        receipt.errors.iter().any(|error| error.line <= header || (error.field.is_empty() && error.value.is_none()))
    }

    /// The receipt with the file's line numbers in place of the body's.
    fn renumber(&self, mut receipt: Receipt) -> Receipt {
        for error in &mut receipt.errors {
            // Line 0 is the body as a whole: say where it begins.
            error.line = match (error.line, &self.lines) {
                (line, Lines::After(before)) | (line @ 0, Lines::HeaderAndAfter(_, before)) => line + before,
                (line, Lines::HeaderAndAfter(header, before)) if line > *header => line - header + before,
                (line, Lines::HeaderAndAfter(..)) => line,
                (line, Lines::MadeOf(lines)) => {
                    let index = usize::try_from(line.saturating_sub(1)).unwrap_or(usize::MAX);
                    lines.get(index).copied().unwrap_or_default()
                }
            };
        }
        receipt
    }

    /// What became of the body, told of the file: its facts' receipt, and what could not be made into facts.
    pub fn told(&self, receipt: Receipt) -> Receipt {
        let mut told = self.unmade.clone();
        told.add(self.renumber(receipt));
        told
    }
}

/// Cuts what a reader yields into bodies of about `size` bytes.
#[derive(Debug)]
pub struct Cutter<R> {
    source: R,
    size: usize,
    /// Repeated in front of every body, with the lines before it; empty where the format has none.
    header: Vec<u8>,
    header_lines: u64,
    /// The beginning of a line whose end was not read yet.
    rest: Vec<u8>,
    place: Place,
    ended: bool,
}

impl<R: BufRead> Cutter<R> {
    /// Begins at `place`, after the header line if the format has one. Where nothing follows a header, it is a body by itself.
    pub fn new(mut source: R, size: usize, has_header: bool, place: Place) -> io::Result<Self> {
        let (mut header, mut header_lines) = (Vec::new(), 0);
        if has_header {
            let mut separator = Separator::default();
            let mut within = source.by_ref().take(LONGEST_LINE);
            loop {
                let begin = header.len();
                if within.read_until(b'\n', &mut header)? == 0 {
                    break;
                }
                header_lines += 1;
                if !separator.is_before_header(header.get(begin..).unwrap_or_default()) {
                    break;
                }
            }
        }
        let at = Place { bytes: header.len() as u64, lines: header_lines };
        let place = if place.bytes > at.bytes { place } else { at };
        let skipped = io::copy(&mut source.by_ref().take(place.bytes - at.bytes), &mut io::sink())?;
        if at.bytes + skipped < place.bytes {
            return Err(Error::new(
                ErrorKind::UnexpectedEof,
                "is shorter than at the last import; remove the .rollcall-import file beside it to begin anew",
            ));
        }
        Ok(Self { source, size, header, header_lines, rest: Vec::new(), place, ended: false })
    }

    fn next_body(&mut self) -> io::Result<Option<Body>> {
        let mut bytes = Vec::with_capacity(self.header.len() + self.size + self.rest.len());
        bytes.extend_from_slice(&self.header);
        bytes.append(&mut self.rest);
        let own = self.header.len();
        let end = loop {
            let begin = bytes.len();
            let read = self.source.by_ref().take(self.size as u64).read_to_end(&mut bytes)?;
            self.ended = read < self.size;
            if self.ended {
                break bytes.len();
            }
            // What came before the new bytes is the rest of the last body, and has no line end.
            if let Some(last) = bytes.get(begin..).and_then(|new| new.iter().rposition(|byte| *byte == b'\n')) {
                break begin + last + 1;
            }
            if bytes.len() as u64 > LONGEST_LINE.max(self.size as u64) {
                return Err(Error::new(
                    ErrorKind::InvalidData,
                    format!("line {} is longer than {LONGEST_LINE} bytes", self.place.lines + 1),
                ));
            }
        };
        self.rest = bytes.split_off(end);
        if end == own && (own == 0 || self.place.bytes > own as u64) {
            return Ok(None);
        }
        let lines_before = self.place.lines;
        let text = bytes.get(own..).unwrap_or_default();
        let lines = text.iter().filter(|byte| **byte == b'\n').count();
        let blank: &[u8] = if own > 0 { b" \t\r\n,;\"" } else { b" \t\r\n" };
        let is_blank = text.iter().all(|byte| blank.contains(byte));
        self.place = Place { bytes: self.place.bytes + (end - own) as u64, lines: self.place.lines + lines as u64 };
        let lines = if own > 0 { Lines::HeaderAndAfter(self.header_lines, lines_before) } else { Lines::After(lines_before) };
        Ok(Some(Body { bytes: bytes.into(), lines, is_blank, unmade: Receipt::default(), end: self.place }))
    }
}

impl<R: BufRead> Iterator for Cutter<R> {
    type Item = io::Result<Body>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let body = self.next_body();
        self.ended |= body.is_err();
        body.transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rollcall_model::FactError;

    fn cut(text: &str, size: usize, has_header: bool, place: Place) -> Vec<Body> {
        Cutter::new(text.as_bytes(), size, has_header, place).unwrap().map(Result::unwrap).collect()
    }

    fn texts(bodies: &[Body]) -> Vec<&str> {
        bodies.iter().map(|body| std::str::from_utf8(&body.bytes).unwrap()).collect()
    }

    #[test]
    fn bodies_end_at_line_ends_whatever_their_size() {
        let text = "one\ntwo\n\nthree is long\nfour";
        for size in 1..40 {
            let bodies = cut(text, size, false, Place::default());
            assert_eq!(texts(&bodies).concat(), text, "{size}");
            for body in bodies.iter().rev().skip(1) {
                assert_eq!(body.bytes.last(), Some(&b'\n'), "{size}");
            }
            assert_eq!(bodies.last().unwrap().end, Place { bytes: text.len() as u64, lines: 4 });
        }
        assert_eq!(texts(&cut(text, 8, false, Place::default())), ["one\ntwo\n", "\n", "three is long\n", "four"]);
        assert!(cut("", 8, false, Place::default()).is_empty());
    }

    #[test]
    fn every_body_of_csv_has_the_header_and_the_files_line_numbers() {
        let bodies = cut("a,b\n1,2\n3,4\n5,6\n", 5, true, Place::default());
        assert_eq!(texts(&bodies), ["a,b\n1,2\n", "a,b\n3,4\n", "a,b\n5,6\n"]);
        let receipt = |line| Receipt { errors: vec![FactError::new("a", None, "b").at(line)], ..Receipt::default() };
        let line = |body: usize, line| bodies[body].told(receipt(line)).errors[0].line;
        assert_eq!((line(0, 2), line(1, 2), line(2, 2), line(2, 1)), (2, 3, 4, 1));
        let bodies = cut(",,\r\nsep=;\n\na;b\n1;2\n3;4\n5;6\n", 5, true, Place::default());
        assert_eq!(texts(&bodies)[1..], [",,\r\nsep=;\n\na;b\n3;4\n", ",,\r\nsep=;\n\na;b\n5;6\n"]);
        let line = |body: usize, line| bodies[body].told(receipt(line)).errors[0].line;
        assert_eq!((line(0, 5), line(1, 5), line(2, 5), line(2, 4), line(2, 1), line(2, 0)), (5, 6, 7, 4, 1, 6));
        let alone = cut("a,b\n", 5, true, Place::default());
        assert_eq!((texts(&alone), alone[0].is_blank()), (vec!["a,b\n"], true));
        assert!(cut("", 5, true, Place::default()).is_empty());
    }

    #[test]
    fn an_import_goes_on_where_it_stopped() {
        for (text, has_header) in [("1\n22\n333\n4444\n", false), ("a,b\n1,2\n3,4\n5,6\n", true), ("\nsep=,\na,b\n1,2\n3,4", true)] {
            let all = cut(text, 4, has_header, Place::default());
            for (position, body) in all.iter().enumerate() {
                let rest = cut(text, 4, has_header, body.end);
                assert_eq!(texts(&rest), texts(&all[position + 1..]));
                assert_eq!(rest.last().map_or(body.end, |body| body.end), all.last().unwrap().end);
            }
        }
        assert!(Cutter::new("1\n".as_bytes(), 4, false, Place { bytes: 9, lines: 3 }).is_err());
    }
}
