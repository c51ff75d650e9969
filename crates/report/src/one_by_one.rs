//! JSON that is written as its things come: an object with a version and a list.

use std::io::{self, Write};

use serde_json::Value;

/// The version of the form.
const SCHEMA: u32 = 1;

/// An object with a list of that name, of which the first things are written.
#[derive(Debug)]
pub(crate) struct JsonList {
    name: &'static str,
    count: usize,
}

impl JsonList {
    pub(crate) fn new(name: &'static str) -> Self {
        Self { name, count: 0 }
    }

    /// Writes one more.
    pub(crate) fn add(&mut self, to: &mut dyn Write, it: &Value) -> io::Result<()> {
        if self.count == 0 {
            self.begin(to)?;
        }
        to.write_all(if self.count == 0 { b"\n    " } else { b",\n    " })?;
        self.count += 1;
        // No text of JSON has a line end in it.
        for (at, line) in serde_json::to_vec_pretty(it)?.split(|it| *it == b'\n').enumerate() {
            if at > 0 {
                to.write_all(b"\n    ")?;
            }
            to.write_all(line)?;
        }
        Ok(())
    }

    /// Writes the end.
    pub(crate) fn finish(self, to: &mut dyn Write) -> io::Result<()> {
        if self.count == 0 {
            self.begin(to)?;
            return to.write_all(b"]\n}\n");
        }
        to.write_all(b"\n  ]\n}\n")
    }

    fn begin(&self, to: &mut dyn Write) -> io::Result<()> {
        to.write_all(format!("{{\n  \"schema\": {SCHEMA},\n  \"{}\": [", self.name).as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_same_as_if_it_were_written_at_once() {
        for things in
            [vec![], vec![json!({})], vec![json!({"a": ["x\ny", 1], "b": {}}), json!([]), json!("é")]]
        {
            let (mut list, mut out) = (JsonList::new("things"), Vec::new());
            for it in &things {
                list.add(&mut out, it).unwrap();
            }
            list.finish(&mut out).unwrap();
            let whole =
                serde_json::to_string_pretty(&json!({"schema": SCHEMA, "things": things})).unwrap() + "\n";
            assert_eq!(String::from_utf8(out).unwrap(), whole);
        }
    }
}
