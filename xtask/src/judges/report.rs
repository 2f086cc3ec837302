//! What a judge found, image by image.

use reburn_tests::Comparison;

use crate::command::Program;
use crate::test::Outcome;

/// Collects the findings of one judge.
#[derive(Debug, Default)]
pub struct Report {
    images: usize,
    entries: usize,
    forgiven: std::collections::BTreeMap<&'static str, usize>,
    /// How many images were looked at, and how many there could be.
    whole: Option<(usize, usize)>,
    skipped: Option<String>,
    notes: Vec<String>,
    faults: Vec<Fault>,
}

/// Something wrong with an image.
#[derive(Debug)]
struct Fault {
    image: String,
    found: String,
    replay: String,
}

impl Report {
    /// One image was judged, by running `replay`; `verdict` is what was found wrong.
    pub fn verdict(&mut self, image: &str, replay: &Program, verdict: Result<(), String>) {
        self.images += 1;
        if let Err(fault) = verdict {
            self.fault(image, replay, &fault);
        }
    }

    /// One image was compared with what it should hold.
    pub fn comparison(&mut self, image: &str, replay: &Program, comparison: &Comparison) {
        self.images += 1;
        self.entries += comparison.compared;
        for (name, count) in &comparison.forgiven {
            *self.forgiven.entry(name).or_default() += count;
        }
        if !comparison.differences.is_empty() {
            self.fault(image, replay, &comparison.to_string());
        }
    }

    /// A damaged image was compared; finding nothing wrong is the fault.
    pub fn must_differ(&mut self, image: &str, replay: &Program, comparison: &Comparison) {
        if comparison.differences.is_empty() {
            let text = "one bit of a file is wrong here, and the judge saw no difference";
            self.fault(image, replay, text);
        }
    }

    /// An image was left out that the judge cannot read, for a reason that has a name.
    pub fn leave_out(&mut self, name: &'static str) {
        *self.forgiven.entry(name).or_default() += 1;
    }

    /// These were looked at, of so many that there could be.
    pub fn out_of(&mut self, looked_at: usize, whole: usize) {
        self.whole = Some((looked_at, whole));
    }

    /// A line to print, whatever the verdict.
    pub fn note(&mut self, line: String) {
        self.notes.push(line);
    }

    /// The judge cannot be heard here, and need not be.
    pub fn skip(&mut self, reason: impl Into<String>) {
        self.skipped = Some(reason.into());
    }

    fn fault(&mut self, image: &str, replay: &Program, fault: &str) {
        // The same fault in every image is told once.
        let told = self.faults.iter().find(|told| told.found == fault);
        let found = match told {
            Some(told) if fault.contains('\n') => format!("the same as in `{}`", told.image),
            _ => fault.to_owned(),
        };
        let (image, replay) = (image.to_owned(), replay.to_string());
        self.faults.push(Fault {
            image,
            found,
            replay,
        });
    }

    /// The whole finding; `run` is an error if the judge could not do its work.
    pub fn into_outcome(self, run: Result<(), String>) -> Outcome {
        let mut said = match self.whole {
            Some((looked_at, whole)) => vec![format!("{looked_at} of {whole} images")],
            None => vec![format!("{} images", self.images)],
        };
        if self.entries > 0 {
            said.push(format!("{} entries", self.entries));
        }
        let forgiven = self.forgiven.iter();
        said.extend(forgiven.map(|(name, count)| format!("{count} forgiven ({name})")));
        let mut said = said.join(", ");
        for note in &self.notes {
            said += "\n  ";
            said += note;
        }
        if let (Some(reason), Ok(())) = (&self.skipped, &run) {
            return Outcome::Skipped(reason.clone());
        }
        let tell = |fault: Fault| {
            let Fault {
                image,
                found,
                replay,
            } = fault;
            format!("image `{image}`: {found}\n  replay: {replay}")
        };
        let mut faults: Vec<_> = self.faults.into_iter().map(tell).collect();
        faults.extend(run.err());
        if faults.is_empty() {
            return Outcome::Passed(said);
        }
        Outcome::Failed(format!("{said}\n{}", faults.join("\n")))
    }
}
