//! How much may be restored at once.

/// Bytes that may still be read to take a change back: what is restored, and each side of what is merged.
#[derive(Debug)]
pub(crate) struct Budget {
    left: u64,
}

impl Budget {
    /// What may be read in all, in MiB.
    pub(crate) const MEBIBYTES: u64 = 192;

    pub(crate) const fn new() -> Self {
        Self { left: Self::MEBIBYTES << 20 }
    }

    /// Takes so many bytes, if they are left.
    pub(crate) const fn take(&mut self, bytes: u64) -> bool {
        match self.left.checked_sub(bytes) {
            Some(left) => {
                self.left = left;
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_much_takes_nothing_from_what_is_left() {
        let mut budget = Budget::new();
        let all = Budget::MEBIBYTES << 20;
        assert!(budget.take(all - 2) && !budget.take(3) && !budget.take(u64::MAX) && budget.take(2) && budget.take(0));
        assert!(!budget.take(1));
    }
}
