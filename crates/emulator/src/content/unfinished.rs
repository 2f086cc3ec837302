//! What a process left that died while it recorded.

use reburn_blocks::Lba;

use super::disc_file::Opened;

impl Opened {
    /// Takes into account what a process left that died while it recorded: the unit in flight
    /// is torn, and what it recorded of a track counts.
    pub(super) fn count_unfinished(&mut self, in_flight: Option<u32>, reached: u32) {
        let kind = self.file.kind();
        let unit = kind.write_unit();
        let area = self.state.user_area(kind).units(unit);
        if let Some(torn) = in_flight
            && let Err(position) = self.unreadable.binary_search(&torn)
        {
            self.unreadable.insert(position, torn);
        }
        let targets = self.replaced.values().copied();
        let taken = targets.chain(in_flight);
        let ends: Vec<u32> = taken
            .clone()
            .filter(|unit| *unit < area)
            .map(|unit| unit + 1)
            .collect();
        if let Some(index) = self.state.tracks.recording() {
            let track = &self.state.tracks.tracks[index];
            let (start, end) = (
                unit.index_of(track.next_writable),
                track.end_on(self.state.user_area(kind)).get() / unit.blocks().get(),
            );
            let reached = ends
                .into_iter()
                .chain([reached])
                .filter(|unit| (start + 1..=end).contains(unit))
                .max();
            if let Some(reached) = reached {
                self.state.reached(Lba::new(reached * unit.blocks().get()));
            }
        }
        if kind.is_bd_r() {
            let spares = taken
                .filter(|unit| *unit >= area)
                .map(|unit| unit + 1 - area)
                .max();
            self.state.spares_used = self.state.spares_used.max(spares.unwrap_or(0));
            let entries = u32::try_from(self.replaced.len()).unwrap_or(u32::MAX);
            self.state.replacements = self.state.replacements.max(entries);
        }
        let state = self.state.clone();
        self.state = state.after_power_cut(kind, true);
    }
}
