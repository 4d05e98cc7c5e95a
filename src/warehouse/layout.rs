//! Where things lie in the warehouse of a pipeline.

use object_store::path::Path;

use super::Zone;
use crate::names::{DevName, PipelineName, RunId};

/// The folder of everything that holds personal data.
const RESTRICTED: &str = "restricted";

/// Makes the paths of a pipeline's warehouse.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    base: Path,
}

impl Layout {
    /// The warehouse of a pipeline below the environment's warehouse root.
    pub(crate) fn new(root: &Path, pipeline: &PipelineName) -> Self {
        Self { base: root.clone().join(pipeline.as_str()) }
    }

    /// `<pipeline>@<name>`: a development warehouse beside that of a pipeline.
    pub(crate) fn beside(root: &Path, pipeline: &PipelineName, name: &DevName) -> Self {
        Self { base: root.clone().join(format!("{pipeline}@{}", name.as_str())) }
    }

    /// The folder of the whole warehouse.
    pub(crate) fn base(&self) -> &Path {
        &self.base
    }

    /// The folder of the pipeline.
    pub(crate) fn folder(&self) -> &Path {
        &self.base
    }

    /// `LEASE`: who is running.
    pub(crate) fn lease(&self) -> Path {
        self.below(&["LEASE"])
    }

    /// `CURRENT`: the pointer to the present generation.
    pub(crate) fn current(&self) -> Path {
        self.below(&["CURRENT"])
    }

    /// `generations/<n>.json`.
    pub(crate) fn generation(&self, number: u64) -> Path {
        self.below(&["generations", &format!("{number}.json")])
    }

    /// `generations`: the folder of all generations.
    pub(crate) fn generations(&self) -> Path {
        self.below(&["generations"])
    }

    /// `<zone>/<table>/<run>-<part>.parquet`.
    pub(crate) fn table_file(&self, zone: Zone, table: &str, run: &RunId, part: usize) -> Path {
        self.table(zone, table).join(format!("{run}-{part}.parquet"))
    }

    /// `<zone>/<table>`: the folder of a table, at which its Delta log lies too.
    pub(crate) fn table(&self, zone: Zone, table: &str) -> Path {
        self.zone(zone).join(table)
    }

    /// The folder of a part of the warehouse.
    ///
    /// What holds personal data lies under one prefix, so that one rule of a bucket keeps analysts out of it.
    pub(crate) fn zone(&self, zone: Zone) -> Path {
        match zone {
            Zone::Marts | Zone::Ledger => self.below(&[zone.folder()]),
            Zone::Clean | Zone::Rejects | Zone::Identity | Zone::Stages => {
                self.below(&[RESTRICTED, zone.folder()])
            }
        }
    }

    /// `restricted/decisions`: the folder of what people have decided about who is who.
    pub(crate) fn decisions(&self) -> Path {
        self.below(&[RESTRICTED, "decisions"])
    }

    /// `restricted/decisions/<n>.json`: what people have decided about who is who; no generation names these files.
    pub(crate) fn decision(&self, number: u64) -> Path {
        self.decisions().join(format!("{number:06}.json"))
    }

    /// `latest`: the folder of the files of all marts.
    pub(crate) fn latest_folder(&self) -> Path {
        self.below(&["latest"])
    }

    /// `latest/<mart>.parquet`.
    pub(crate) fn latest(&self, mart: &str) -> Path {
        self.below(&["latest", &format!("{mart}.parquet")])
    }

    /// `latest/GENERATION`: the number of the generation whose marts lie under `latest/`.
    pub(crate) fn latest_generation(&self) -> Path {
        self.below(&["latest", "GENERATION"])
    }

    /// `runs`: the folder of all runs.
    pub(crate) fn runs(&self) -> Path {
        self.below(&["runs"])
    }

    /// `runs/<run>/report.json`.
    pub(crate) fn report(&self, run: &RunId) -> Path {
        self.runs().join(run.as_str()).join("report.json")
    }

    /// Returns the path of a file that a generation names relative to this warehouse.
    pub(crate) fn named(&self, relative: &str) -> Path {
        relative.split('/').fold(self.base.clone(), Path::join)
    }

    /// Returns how a generation names a path of this warehouse.
    pub(crate) fn relative(&self, path: &Path) -> String {
        let parts: Vec<_> = path
            .prefix_match(&self.base)
            .map(|parts| parts.map(|part| part.as_ref().to_owned()).collect())
            .unwrap_or_default();
        parts.join("/")
    }

    /// Returns which table of which run a file of a zone holds: `<zone>/<table>/…/<run>-<part>.parquet`.
    pub(crate) fn table_and_run(&self, zone: Zone, file: &Path) -> Option<(String, RunId)> {
        let mut parts = file.prefix_match(&self.zone(zone))?;
        let table = parts.next()?.as_ref().to_owned();
        let file = parts.last()?;
        let (run, _) = file.as_ref().strip_suffix(".parquet")?.rsplit_once('-')?;
        Some((table, RunId::new(run)))
    }

    fn below(&self, parts: &[&str]) -> Path {
        parts.iter().fold(self.base.clone(), |path, part| path.join(*part))
    }
}

#[cfg(test)]
mod tests {
    use object_store::path::Path;

    use super::Layout;
    use crate::names::RunId;
    use crate::warehouse::Zone;

    #[test]
    fn a_relative_name_leads_back_to_its_path() {
        let layout = Layout::new(&Path::from("data/warehouse"), &"nightly".parse().unwrap());
        let path = layout.table_file(Zone::Marts, "rfm", &RunId::new("r1"), 0);
        assert_eq!(path.as_ref(), "data/warehouse/nightly/marts/rfm/r1-0.parquet");
        assert_eq!(layout.relative(&path), "marts/rfm/r1-0.parquet");
        let found = layout.table_and_run(Zone::Marts, &path);
        assert_eq!(found, Some(("rfm".to_owned(), RunId::new("r1"))));
        assert_eq!(layout.named("marts/rfm/r1-0.parquet"), path);
    }

    #[test]
    fn what_holds_personal_data_lies_under_one_prefix() {
        let layout = Layout::new(&Path::default(), &"nightly".parse().unwrap());
        for zone in [Zone::Clean, Zone::Rejects, Zone::Identity, Zone::Stages] {
            let path = layout.table_file(zone, "web", &RunId::new("r1"), 0);
            assert!(path.as_ref().starts_with("nightly/restricted/"), "{path}");
            let found = layout.table_and_run(zone, &path);
            assert_eq!(found, Some(("web".to_owned(), RunId::new("r1"))));
            assert_eq!(layout.table_and_run(Zone::Marts, &path), None);
        }
    }
}
