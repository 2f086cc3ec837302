//! The part of a region that is wanted.

/// A buffer for the bytes of a region from `from` on. What is put elsewhere is dropped, so
/// that any part of a large region can be made without the rest.
#[derive(Debug)]
pub(super) struct Window<'a> {
    from: u64,
    bytes: &'a mut [u8],
}

impl<'a> Window<'a> {
    /// The bytes from `from` on, as many as the buffer has. The buffer holds zeros.
    pub(super) fn new(from: u64, bytes: &'a mut [u8]) -> Self {
        Self { from, bytes }
    }

    /// A window that nothing is in.
    pub(super) fn nothing() -> Self {
        Self::new(0, &mut [])
    }

    pub(super) fn start(&self) -> u64 {
        self.from
    }

    /// The first byte after the window.
    pub(super) fn end(&self) -> u64 {
        self.from + self.bytes.len() as u64
    }

    /// Puts `data` at `at`, as far as that is in the window.
    pub(super) fn put(&mut self, at: u64, data: &[u8]) {
        let start = at.max(self.from);
        let end = (at + data.len() as u64).min(self.end());
        if start < end {
            let into = (start - self.from) as usize..(end - self.from) as usize;
            let from = (start - at) as usize..(end - at) as usize;
            self.bytes[into].copy_from_slice(&data[from]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_wanted_is_kept() {
        let mut buffer = [0; 4];
        let mut window = Window::new(10, &mut buffer);
        window.put(0, b"abc");
        window.put(8, b"defg");
        window.put(13, b"hij");
        window.put(14, b"k");
        assert_eq!(&buffer, b"fg\0h");
        let mut window = Window::new(1, &mut buffer);
        window.put(0, b"abcdef");
        assert_eq!(&buffer, b"bcde");
    }
}
