//! Units of measure, by exact factors.

/// A factor that leads from one unit to another: the numerator over the denominator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Conversion {
    pub(crate) numerator: u64,
    pub(crate) denominator: u64,
}

impl Conversion {
    /// Leads from a unit to itself.
    pub(crate) const NONE: Self = Self { numerator: 1, denominator: 1 };
}

/// A unit, as so many of the smallest unit of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unit {
    pub(crate) name: &'static str,
    /// What it measures.
    pub(crate) measures: &'static str,
    numerator: u64,
    denominator: u64,
}

/// All units; pounds, ounces, feet and inches are the international ones.
pub(crate) const UNITS: &[Unit] = &[
    unit("mg", "mass", 1, 1),
    unit("g", "mass", 1_000, 1),
    unit("kg", "mass", 1_000_000, 1),
    unit("t", "mass", 1_000_000_000, 1),
    unit("oz", "mass", 45_359_237, 1_600),
    unit("lb", "mass", 45_359_237, 100),
    unit("mm", "length", 1, 1),
    unit("cm", "length", 10, 1),
    unit("m", "length", 1_000, 1),
    unit("km", "length", 1_000_000, 1),
    unit("in", "length", 254, 10),
    unit("ft", "length", 3_048, 10),
    unit("ml", "volume", 1, 1),
    unit("l", "volume", 1_000, 1),
    unit("ms", "time", 1, 1),
    unit("s", "time", 1_000, 1),
    unit("min", "time", 60_000, 1),
    unit("h", "time", 3_600_000, 1),
    unit("percent", "share", 1, 1),
    unit("fraction", "share", 100, 1),
];

const fn unit(
    name: &'static str,
    measures: &'static str,
    numerator: u64,
    denominator: u64,
) -> Unit {
    Unit { name, measures, numerator, denominator }
}

impl Unit {
    pub(crate) fn named(name: &str) -> Option<Self> {
        UNITS.iter().find(|unit| unit.name == name).copied()
    }

    /// Returns the factor that leads to another unit, in its lowest terms.
    pub(crate) fn to(self, other: Self) -> Conversion {
        let numerator = self.numerator * other.denominator;
        let denominator = self.denominator * other.numerator;
        let common = greatest_common_divisor(numerator, denominator);
        Conversion { numerator: numerator / common, denominator: denominator / common }
    }
}

fn greatest_common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::{Conversion, UNITS, Unit};

    #[test]
    fn factors_are_exact() {
        for (from, to, numerator, denominator) in [
            ("g", "kg", 1, 1_000),
            ("t", "mg", 1_000_000_000, 1),
            ("lb", "kg", 45_359_237, 100_000_000),
            ("lb", "oz", 16, 1),
            ("oz", "lb", 1, 16),
            ("in", "cm", 127, 50),
            ("ft", "in", 12, 1),
            ("km", "m", 1_000, 1),
            ("l", "ml", 1_000, 1),
            ("min", "h", 1, 60),
            ("h", "ms", 3_600_000, 1),
            ("percent", "fraction", 1, 100),
            ("fraction", "percent", 100, 1),
        ] {
            let found = Unit::named(from).unwrap().to(Unit::named(to).unwrap());
            assert_eq!(found, Conversion { numerator, denominator }, "{from} to {to}");
        }
    }

    #[test]
    fn every_way_has_its_way_back_and_fits_a_double() {
        for from in UNITS {
            for to in UNITS.iter().filter(|to| to.measures == from.measures) {
                let (there, back) = (from.to(*to), to.to(*from));
                assert_eq!(there.numerator, back.denominator, "{from:?} {to:?}");
                assert_eq!(there.denominator, back.numerator, "{from:?} {to:?}");
                assert!(there.numerator < 1 << 53, "{from:?} {to:?}");
            }
        }
    }
}
