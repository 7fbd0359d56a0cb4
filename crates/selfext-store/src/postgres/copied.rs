//! Rows of the ledger in the binary form of `COPY`: far less work for a reader than rows that are fetched one by one.
//!
//! The form is a header, then each row as the number of its fields and, for each field, its length and its bytes:
//! <https://www.postgresql.org/docs/current/sql-copy.html>. The server sends each row as one piece.
//!
//! An auditor is told of every row, whatever was done to it: a value that is not there, or is of another type, is read as an empty
//! one, which no event has. Only what is not in this form at all is an error.

use selfext_domain::Position;
use selfext_domain::ports::{DerivedColumns, LedgerRow, LedgerRows};
use sqlx::Error;

/// How the header begins; flags and the length of an extension follow.
const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";

/// What stands in place of a number of fields behind the last row.
const END: i16 = -1;

/// The fields of a row, in the order in which [`row`] reads them.
pub(super) const FIELDS: &str = "e.transaction_id, e.id, e.sequence, e.content, e.content_hash, e.prev_hash, e.hash,
    to_char(e.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), e.written_by,
    e.event_id::text, e.run_id, e.correlation_id, e.stage, e.event_type, e.actor_source, e.tool_name, e.tool_call_id,
    e.goal_id, e.cycle_id, e.sub_goal_id, e.repository, e.base, e.fingerprint, e.pull_request";

/// How many fields that are.
const COUNT: i16 = 24;

/// The rows that came so far.
#[derive(Debug, Default)]
pub(super) struct Copied {
    rows: LedgerRows,
    has_begun: bool,
}

/// What is wrong with what came.
type Problem = &'static str;

const CUT: Problem = "a row that is cut";

impl Copied {
    /// Takes the next piece of what the server sends.
    pub fn take(&mut self, piece: &[u8]) -> Result<(), Error> {
        self.read(piece).map_err(|problem| {
            let last = self.rows.last_position().map_or("what was asked for".to_owned(), |last| last.to_string());
            Error::Decode(format!("behind {last} the database holds {problem}").into())
        })
    }

    fn read(&mut self, piece: &[u8]) -> Result<(), Problem> {
        let mut rest = Rest(piece);
        if !self.has_begun {
            rest.header()?;
            self.has_begun = true;
        }
        while !rest.0.is_empty() {
            match rest.number()? {
                COUNT => self.rows.push(&row(&mut rest)?),
                END => break,
                _ => return Err("a row of another form"),
            }
        }
        Ok(())
    }

    pub fn into_rows(self) -> LedgerRows {
        self.rows
    }
}

/// Reads the [`FIELDS`] of one row.
fn row<'a>(rest: &mut Rest<'a>) -> Result<LedgerRow<'a>, Problem> {
    let mut number = || rest.integer().map(i64::cast_unsigned);
    Ok(LedgerRow {
        position: Position { transaction: number()?, id: number()? },
        sequence: rest.integer()?,
        content: rest.text()?,
        content_hash: rest.bytes()?,
        prev_hash: rest.bytes()?,
        hash: rest.bytes()?,
        created_at: rest.text()?,
        written_by: rest.text()?,
        derived: DerivedColumns {
            event_id: rest.text()?,
            run_id: rest.text()?,
            correlation_id: rest.text()?,
            stage: rest.text()?,
            event_type: rest.text()?,
            actor_source: rest.text()?,
            tool_name: rest.optional_text()?,
            tool_call_id: rest.optional_text()?,
            goal_id: rest.optional_text()?,
            cycle_id: rest.optional_text()?,
            sub_goal_id: rest.optional_text()?,
            repository: rest.optional_text()?,
            base: rest.optional_text()?,
            fingerprint: rest.optional_text()?,
            pull_request: rest.field()?.map(integer),
        },
    })
}

/// What is left of a piece.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn header(&mut self) -> Result<(), Problem> {
        if self.cut(SIGNATURE.len())? != SIGNATURE {
            return Err("another form than the binary one");
        }
        let _flags: [u8; 4] = self.chunk()?;
        let extension = self.length()?.ok_or("a header without its length")?;
        self.cut(extension).map(|_| ())
    }

    fn cut(&mut self, length: usize) -> Result<&'a [u8], Problem> {
        let (head, rest) = self.0.split_at_checked(length).ok_or(CUT)?;
        self.0 = rest;
        Ok(head)
    }

    fn chunk<const N: usize>(&mut self) -> Result<[u8; N], Problem> {
        let (head, rest) = self.0.split_first_chunk().ok_or(CUT)?;
        self.0 = rest;
        Ok(*head)
    }

    fn number(&mut self) -> Result<i16, Problem> {
        self.chunk().map(i16::from_be_bytes)
    }

    /// A length; nothing if it is -1, which stands for NULL.
    fn length(&mut self) -> Result<Option<usize>, Problem> {
        Ok(i32::from_be_bytes(self.chunk()?).try_into().ok())
    }

    fn field(&mut self) -> Result<Option<&'a [u8]>, Problem> {
        match self.length()? {
            Some(length) => self.cut(length).map(Some),
            None => Ok(None),
        }
    }

    fn bytes(&mut self) -> Result<&'a [u8], Problem> {
        self.field().map(Option::unwrap_or_default)
    }

    fn optional_text(&mut self) -> Result<Option<&'a str>, Problem> {
        Ok(self.field()?.map(text))
    }

    fn text(&mut self) -> Result<&'a str, Problem> {
        self.bytes().map(text)
    }

    fn integer(&mut self) -> Result<i64, Problem> {
        self.bytes().map(integer)
    }
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}

fn integer(bytes: &[u8]) -> i64 {
    bytes.try_into().map(i64::from_be_bytes).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use selfext_domain::ports::LedgerError;

    use super::super::errors::reading;
    use super::*;

    /// A row in the binary form, with so many fields.
    fn encoded(fields: &[Option<&[u8]>]) -> Vec<u8> {
        let mut bytes = i16::try_from(fields.len()).unwrap().to_be_bytes().to_vec();
        for field in fields {
            let length = field.map_or(-1, |field| i32::try_from(field.len()).unwrap());
            bytes.extend(length.to_be_bytes());
            bytes.extend(field.unwrap_or_default());
        }
        bytes
    }

    fn header() -> Vec<u8> {
        [SIGNATURE, &[0; 8]].concat()
    }

    fn a_row() -> Vec<u8> {
        let (transaction, id) = ((u64::MAX - 1).to_be_bytes(), 7_i64.to_be_bytes());
        let mut fields: Vec<Option<&[u8]>> = vec![Some(&transaction), Some(&id), Some(&id)];
        fields.extend([b"{}".as_slice(), b"1", b"2", b"3", b"now", b"me"].map(Some));
        fields.extend(["event", "run", "run", "stage", "type", "agent", "tool"].map(|text| Some(text.as_bytes())));
        fields.extend([None; 7]);
        fields.push(Some(&id));
        encoded(&fields)
    }

    #[test]
    fn rows_are_read_however_they_come() {
        let end = END.to_be_bytes();
        for pieces in [
            vec![header(), a_row(), a_row(), end.to_vec()],
            vec![[header(), a_row()].concat(), a_row(), end.to_vec()],
            vec![[header(), a_row(), a_row(), end.to_vec()].concat()],
        ] {
            let mut copied = Copied::default();
            for piece in &pieces {
                copied.take(piece).unwrap();
            }
            let rows = copied.into_rows();
            assert_eq!(rows.len(), 2);
            for row in &rows {
                assert_eq!(row.position, Position { transaction: u64::MAX - 1, id: 7 });
                assert_eq!((row.sequence, row.content, row.hash, row.written_by), (7, "{}", b"3".as_slice(), "me"));
                assert_eq!((row.derived.tool_name, row.derived.goal_id), (Some("tool"), None));
                assert_eq!(row.derived.pull_request, Some(7));
            }
        }
    }

    #[test]
    fn whatever_is_cut_or_of_another_form_is_an_error() {
        let whole = [header(), a_row()].concat();
        for length in 0..whole.len() {
            let taken = Copied::default().take(&whole[..length]);
            assert_eq!(taken.is_ok(), length == header().len(), "{length} bytes: {taken:?}");
        }
        // Another signature, another number of fields.
        for (at, byte) in [(0, b'Q'), (header().len() + 1, 23)] {
            let mut edited = whole.clone();
            edited[at] = byte;
            let problem = reading(Copied::default().take(&edited).unwrap_err());
            assert!(matches!(problem, LedgerError::Corrupt { .. }), "{problem:?}");
        }
    }

    #[test]
    fn a_value_that_is_not_there_or_of_another_type_is_read_as_an_empty_one() {
        let id = 7_i64.to_be_bytes();
        let mut fields: Vec<Option<&[u8]>> = vec![Some(&id), Some(&id)];
        fields.resize(usize::try_from(COUNT).unwrap(), None);
        let absent = encoded(&fields);
        fields[2] = Some(b"1");
        fields[3] = Some(b"\xff");
        fields[23] = Some(b"1");
        let mut copied = Copied::default();
        copied.take(&[header(), absent, encoded(&fields)].concat()).unwrap();
        let rows = copied.into_rows();
        let [absent, other] = rows.iter().collect::<Vec<_>>().try_into().unwrap();
        assert_eq!((absent.sequence, absent.content, absent.hash, absent.derived.run_id), (0, "", &[][..], ""));
        assert_eq!(absent.derived.pull_request, None);
        assert_eq!(other, LedgerRow { derived: DerivedColumns { pull_request: Some(0), ..absent.derived }, ..absent });
    }
}
