//! Profiles: what kind of medium a drive can handle, or has loaded (MMC-6, GET CONFIGURATION).

use std::fmt;

/// The number of a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Profile(pub u16);

/// Declares the named profiles once: constant, code and what a person calls it.
macro_rules! profiles {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $title:literal;)+) => {
        impl Profile {
            $($(#[$doc])* pub const $name: Self = Self($code);)+

            /// What a person calls it; `None` for a code without a name here.
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($code => Some($title),)+
                    _ => None,
                }
            }
        }
    };
}

profiles! {
    /// No medium, or one of no known kind.
    NONE = 0x0000, "no medium";
    /// A rewritable disk that can be removed: how an image file presents itself.
    REMOVABLE_DISK = 0x0002, "removable disk";
    /// CD-ROM.
    CD_ROM = 0x0008, "CD-ROM";
    /// CD-R.
    CD_R = 0x0009, "CD-R";
    /// CD-RW.
    CD_RW = 0x000a, "CD-RW";
    /// DVD-ROM.
    DVD_ROM = 0x0010, "DVD-ROM";
    /// DVD-R, recorded sequentially.
    DVD_R = 0x0011, "DVD-R";
    /// DVD-RAM.
    DVD_RAM = 0x0012, "DVD-RAM";
    /// DVD-RW in restricted overwrite mode.
    DVD_RW_OVERWRITE = 0x0013, "DVD-RW (restricted overwrite)";
    /// DVD-RW, recorded sequentially.
    DVD_RW_SEQUENTIAL = 0x0014, "DVD-RW (sequential)";
    /// DVD-R with two layers, recorded sequentially.
    DVD_R_DL_SEQUENTIAL = 0x0015, "DVD-R DL (sequential)";
    /// DVD-R with two layers, recorded with layer jumps.
    DVD_R_DL_JUMP = 0x0016, "DVD-R DL (layer jump)";
    /// DVD+RW.
    DVD_PLUS_RW = 0x001a, "DVD+RW";
    /// DVD+R.
    DVD_PLUS_R = 0x001b, "DVD+R";
    /// DVD+RW with two layers.
    DVD_PLUS_RW_DL = 0x002a, "DVD+RW DL";
    /// DVD+R with two layers.
    DVD_PLUS_R_DL = 0x002b, "DVD+R DL";
    /// BD-ROM.
    BD_ROM = 0x0040, "BD-ROM";
    /// BD-R in sequential recording mode.
    BD_R_SEQUENTIAL = 0x0041, "BD-R (sequential)";
    /// BD-R in random recording mode.
    BD_R_RANDOM = 0x0042, "BD-R (random)";
    /// BD-RE.
    BD_RE = 0x0043, "BD-RE";
}

/// The name, or the code: `BD-RE`, `profile 1234h`.
impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "profile {:04x}h", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_have_names_or_show_their_code() {
        assert_eq!(Profile::BD_RE.to_string(), "BD-RE");
        assert_eq!(Profile(0x1234).to_string(), "profile 1234h");
    }
}
