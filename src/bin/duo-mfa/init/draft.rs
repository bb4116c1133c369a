//! Changes of a shipped file on its way to a ready one.

/// The comment at a value that its reader has to look at.
const CHANGE: &str = "# change";

/// A file that is being made.
pub(super) struct Draft {
    pub(super) text: String,
}

/// A shipped file has no such text. That is a fault of this program.
#[derive(Debug, thiserror::Error)]
#[error("the shipped file that this one is made from has no {0:?}: report this")]
pub(super) struct NoSuchText(String);

impl Draft {
    pub(super) fn of(text: &str) -> Self {
        Self { text: text.to_owned() }
    }

    /// Replaces a text wherever it is. A line whose value is another one afterwards loses its mark.
    ///
    /// # Errors
    ///
    /// [`NoSuchText`] if it is nowhere.
    pub(super) fn put(&mut self, from: &str, to: &str) -> Result<&mut Self, NoSuchText> {
        if !self.text.contains(from) {
            return Err(NoSuchText(from.to_owned()));
        }
        let mut parts = self.text.split(from);
        let mut text = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (rest, lines) = part.split_at(part.find('\n').unwrap_or(part.len()));
            let unmarked = rest.strip_suffix(CHANGE).filter(|_| from != to).map(str::trim_end);
            text.extend([to, unmarked.unwrap_or(rest), lines]);
        }
        self.text = text;
        Ok(self)
    }

    /// Replaces the text from `start` on, which goes too, up to `end`, which stays.
    pub(super) fn put_between(
        &mut self,
        (start, end): (&str, &str),
        to: &str,
    ) -> Result<&mut Self, NoSuchText> {
        let old = between(&self.text, start, end)?;
        self.text = self.text.replace(old, to);
        Ok(self)
    }

    /// Uncomments the lines for Duo's Universal Prompt, or removes them.
    pub(super) fn universal(&mut self, is_wanted: bool) {
        const MARK: &str = "#universal ";
        let lines = self.text.lines().filter(|line| is_wanted || !line.trim().starts_with(MARK));
        let lines: Vec<_> = lines.map(|line| line.replacen(MARK, "", 1)).collect();
        self.text = lines.join("\n");
    }

    /// The ready text.
    pub(super) fn finished(&self) -> String {
        self.text.lines().map(|line| format!("{}\n", line.trim_end())).collect()
    }
}

/// The part of a text from `start` on, which is included, up to `end`, which is not.
pub(super) fn between<'t>(text: &'t str, start: &str, end: &str) -> Result<&'t str, NoSuchText> {
    let missing = |what: &str| NoSuchText(what.to_owned());
    let from = text.find(start).ok_or_else(|| missing(start))?;
    let rest = text.get(from..).unwrap_or_default();
    let to = rest.find(end).ok_or_else(|| missing(end))?;
    Ok(rest.get(..to).unwrap_or_default())
}
