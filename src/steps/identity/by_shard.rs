//! Takes what is looked for in shards shard by shard.
//!
//! Each shard is locked once for many, and what is looked at of it stays in the caches meanwhile.

use super::identifiers::SHARDS;

/// The places of what goes to each shard.
pub(super) struct ByShard {
    places: Vec<u32>,
    /// Where those of each shard end.
    ends: [u32; SHARDS],
}

impl ByShard {
    /// Takes the shard of each place.
    pub(super) fn new(shards: impl Iterator<Item = usize> + Clone) -> Self {
        let mut ends = [0; SHARDS];
        shards.clone().for_each(|shard| ends[shard] += 1);
        let mut total = 0;
        for end in &mut ends {
            (*end, total) = (total, total + *end);
        }
        // These are the beginnings; each moves to its end while places come.
        let mut places = vec![0; total as usize];
        for (place, shard) in (0..).zip(shards) {
            places[ends[shard] as usize] = place;
            ends[shard] += 1;
        }
        Self { places, ends }
    }

    /// Returns the shards that anything goes to, and what goes there.
    pub(super) fn groups(&self) -> impl Iterator<Item = (usize, &[u32])> {
        let group = |shard: usize| {
            let start = shard.checked_sub(1).map_or(0, |before| self.ends[before]);
            (shard, &self.places[start as usize..self.ends[shard] as usize])
        };
        (0..SHARDS).map(group).filter(|(_, places)| !places.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::ByShard;

    #[test]
    fn each_place_comes_once_in_the_shard_it_goes_to() {
        let shards = [7, 0, 255, 7, 7, 0];
        let by_shard = ByShard::new(shards.iter().copied());
        let groups: Vec<(usize, Vec<u32>)> =
            by_shard.groups().map(|(shard, places)| (shard, places.to_vec())).collect();
        assert_eq!(groups, [(0, vec![1, 5]), (7, vec![0, 3, 4]), (255, vec![2])]);
        assert_eq!(ByShard::new(std::iter::empty()).groups().count(), 0);
    }
}
