//! Gathers the texts of a project from its folder.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use crate::diagnostics::{Code, Diagnostic, Diagnostics, SourceFile, nearest};
use crate::settings::{self, Origin, Setting};
use crate::spec::{self, SourceTree};

/// Reads a pipeline and all YAML and SQL files and fixtures below the folders of stages it names.
///
/// Files and folders whose names begin with a dot are passed over. Whether a folder is missing is left for
/// [`spec::load`] to say, which knows where it is named.
pub(crate) fn read(root: &Path, pipeline: &Path) -> Result<SourceTree, Diagnostics> {
    let mut reader = Reader::new(root)?;
    let path = project_path(root, pipeline)?;
    let Some(file) = reader.file(&path) else {
        return Err(reader.diagnostics);
    };
    let (folders, _) = spec::stage_folders(&file);
    for folder in folders {
        if reader.root.join(&folder.path).is_dir() {
            reader.folder(&folder.path);
        }
    }
    if reader.diagnostics.is_empty() { Ok(reader.tree) } else { Err(reader.diagnostics) }
}

/// Returns the path of a file relative to the project's root, as [`spec::load`] knows it.
pub(crate) fn project_path(root: &Path, path: &Path) -> Result<String, Diagnostics> {
    let relative = if path.is_absolute() { below(root, path) } else { Some(path.to_owned()) };
    relative
        .and_then(|relative| parts(&relative))
        .ok_or_else(|| vec![outside(&path.display().to_string())])
}

/// Reads the file of the chosen environment; only the default one may have none.
pub(crate) fn read_environment(
    root: &Path,
    environment: &Setting<String>,
) -> Result<Option<SourceFile>, Diagnostics> {
    let path = settings::environment_path(&environment.value);
    if environment.origin == Origin::Default && !root.join(&path).exists() {
        return Ok(None);
    }
    let mut reader = Reader::new(root)?;
    match reader.file(&path) {
        Some(file) => Ok(Some(file)),
        None => Err(reader.diagnostics),
    }
}

struct Reader {
    /// The project's root, with all links resolved.
    root: PathBuf,
    tree: SourceTree,
    diagnostics: Diagnostics,
}

impl Reader {
    fn new(root: &Path) -> Result<Self, Diagnostics> {
        let shown = root.display().to_string();
        let root = root.canonicalize().map_err(|error| vec![unreadable(&shown, &error)])?;
        Ok(Self { root, tree: SourceTree::default(), diagnostics: Vec::new() })
    }

    /// Reads everything below a folder, in the order of the names.
    fn folder(&mut self, path: &str) {
        self.tree.insert_folder(path);
        let names = match names(&self.root.join(path)) {
            Ok(names) => names,
            Err(error) => return self.diagnostics.push(unreadable(path, &error)),
        };
        for name in names {
            self.entry(&format!("{path}/{name}"));
        }
    }

    fn entry(&mut self, path: &str) {
        let location = self.root.join(path);
        if !location.is_dir() {
            if matches!(spec::ending(path), Some("sql" | "yaml" | "yml" | "csv" | "ndjson")) {
                self.file(path);
            }
        } else if location.is_symlink() {
            let message = format!("the folder `{path}` is a symbolic link, which is not followed");
            self.diagnostics.push(Diagnostic::error(Code::FileUnreadable, message));
        } else {
            self.folder(path);
        }
    }

    fn file(&mut self, path: &str) -> Option<SourceFile> {
        match self.text(path) {
            Ok(text) => self.tree.insert(path, &text),
            Err(diagnostic) => self.diagnostics.push(diagnostic),
        }
        self.tree.file(path)
    }

    fn text(&self, path: &str) -> Result<String, Diagnostic> {
        let location =
            self.root.join(path).canonicalize().map_err(|error| self.not_found(path, &error))?;
        if !location.starts_with(&self.root) {
            return Err(outside(path));
        }
        let size = fs::metadata(&location).map_err(|error| unreadable(path, &error))?;
        if size.len() > spec::MAX_BYTES as u64 {
            let message = format!("`{path}` is larger than {} KiB", spec::MAX_BYTES >> 10);
            return Err(Diagnostic::error(Code::FileUnreadable, message));
        }
        let bytes = fs::read(&location).map_err(|error| unreadable(path, &error))?;
        String::from_utf8(bytes).map_err(|error| {
            let byte = error.utf8_error().valid_up_to() + 1;
            let message = format!("`{path}` is no UTF-8 text: byte {byte} fits no character");
            Diagnostic::error(Code::FileUnreadable, message)
        })
    }

    /// Reports a file that cannot be reached, with the file beside it that was meant.
    fn not_found(&self, path: &str, error: &io::Error) -> Diagnostic {
        let diagnostic = unreadable(path, error);
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let beside = names(&self.root.join(folder)).unwrap_or_default();
        match nearest(name, beside.iter().map(String::as_str)) {
            Some(right) => {
                let right = parts(&Path::new(folder).join(right)).unwrap_or_default();
                diagnostic.help(format!("did you mean `{right}`?"))
            }
            None => diagnostic,
        }
    }
}

/// Returns the names in a folder that are no hidden ones, sorted.
fn names(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let name = name.to_str().ok_or_else(|| {
            let message = format!("the name {} is no UTF-8 text", name.display());
            io::Error::new(io::ErrorKind::InvalidData, message)
        })?;
        if !name.starts_with('.') {
            names.push(name.to_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// Returns what is left of an absolute path below the root, links in both resolved.
fn below(root: &Path, path: &Path) -> Option<PathBuf> {
    if let Ok(relative) = path.strip_prefix(root) {
        return Some(relative.to_owned());
    }
    let folder = path.parent()?.canonicalize().ok()?;
    let folder = folder.strip_prefix(root.canonicalize().ok()?).ok()?;
    Some(folder.join(path.file_name()?))
}

/// Returns a relative path with `/` between its parts, unless it climbs.
fn parts(path: &Path) -> Option<String> {
    let mut parts = Vec::new();
    for component in path.components() {
        match component {
            Component::Normal(part) => parts.push(part.to_str()?),
            Component::CurDir => {}
            _ => return None,
        }
    }
    (!parts.is_empty()).then(|| parts.join("/"))
}

fn outside(path: &str) -> Diagnostic {
    let message = format!("`{path}` lies outside the project");
    Diagnostic::error(Code::PathOutside, message)
        .help("keep pipelines and stages in files below the project's root")
}

fn unreadable(path: &str, error: &io::Error) -> Diagnostic {
    let message = match error.kind() {
        io::ErrorKind::NotFound => format!("`{path}` does not exist"),
        _ => format!("`{path}` cannot be read: {error}"),
    };
    Diagnostic::error(Code::FileUnreadable, message)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{project_path, read, read_environment};
    use crate::diagnostics::Diagnostics;
    use crate::settings::{Origin, Setting};
    use crate::spec;

    const PIPELINE: &str = "\
version: 1
name: nightly
timezone: UTC
currency: CNY
stages: [sql/marts]
sources: {}
publish: []
";

    fn project() -> tempfile::TempDir {
        let project = tempfile::tempdir().unwrap();
        write(project.path(), "pipelines/nightly.yaml", PIPELINE.as_bytes());
        write(project.path(), "sql/marts/deep/fact.sql", b"SELECT 1");
        write(project.path(), "sql/marts/notes.md", b"\xff");
        write(project.path(), "sql/marts/.hidden.sql", b"\xff");
        project
    }

    fn write(root: &Path, path: &str, bytes: &[u8]) {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    fn messages(diagnostics: Diagnostics) -> Vec<String> {
        let of = |diagnostic: crate::diagnostics::Diagnostic| {
            assert_eq!(diagnostic.help.as_deref().unwrap_or_default().find("//"), None);
            format!("{}: {}", diagnostic.code.as_str(), diagnostic.message)
        };
        diagnostics.into_iter().map(of).collect()
    }

    fn refused(root: &Path, pipeline: &str) -> Vec<String> {
        messages(read(root, Path::new(pipeline)).unwrap_err())
    }

    #[test]
    fn a_project_is_read_and_loads() {
        let project = project();
        for path in ["pipelines/nightly.yaml", "./pipelines/nightly.yaml"] {
            let tree = read(project.path(), Path::new(path)).unwrap();
            let spec = spec::load(&tree, "pipelines/nightly.yaml").unwrap();
            assert_eq!(spec.stages.len(), 1);
            assert_eq!(&*spec.stages[0].sql.path, "sql/marts/deep/fact.sql");
        }
    }

    #[test]
    fn an_absolute_path_below_the_root_is_one_of_the_project() {
        let project = project();
        let path = project.path().join("pipelines/nightly.yaml");
        assert_eq!(project_path(project.path(), &path).unwrap(), "pipelines/nightly.yaml");
        assert!(read(project.path(), &path).is_ok());
    }

    #[test]
    fn a_pipeline_that_is_missing_or_outside_is_refused() {
        let project = project();
        let diagnostics = read(project.path(), Path::new("pipelines/nightli.yaml")).unwrap_err();
        assert_eq!(diagnostics[0].help.as_deref(), Some("did you mean `pipelines/nightly.yaml`?"));
        assert_eq!(
            messages(diagnostics),
            ["file/unreadable: `pipelines/nightli.yaml` does not exist"]
        );
        assert_eq!(
            refused(project.path(), "../nightly.yaml"),
            ["file/outside-root: `../nightly.yaml` lies outside the project"]
        );
        assert_eq!(
            refused(&project.path().join("sql"), "/nightly.yaml"),
            ["file/outside-root: `/nightly.yaml` lies outside the project"]
        );
    }

    #[test]
    fn every_text_that_cannot_be_read_is_told_at_once() {
        let project = project();
        write(project.path(), "sql/marts/a.sql", b"SELECT '\xff'");
        write(project.path(), "sql/marts/b.yaml", &vec![b'#'; (1 << 20) + 1]);
        std::fs::create_dir_all(project.path().join("sql/marts/c.sql")).unwrap();
        assert_eq!(
            refused(project.path(), "pipelines/nightly.yaml"),
            [
                "file/unreadable: `sql/marts/a.sql` is no UTF-8 text: byte 9 fits no character",
                "file/unreadable: `sql/marts/b.yaml` is larger than 1024 KiB",
            ]
        );
    }

    #[cfg(unix)]
    #[test]
    fn links_that_lead_out_of_the_project_are_refused() {
        let project = project();
        let other = tempfile::tempdir().unwrap();
        write(other.path(), "secret.sql", b"SELECT 1");
        let marts = project.path().join("sql/marts");
        std::os::unix::fs::symlink(other.path().join("secret.sql"), marts.join("a.sql")).unwrap();
        std::os::unix::fs::symlink(other.path(), marts.join("b")).unwrap();
        assert_eq!(
            refused(project.path(), "pipelines/nightly.yaml"),
            [
                "file/outside-root: `sql/marts/a.sql` lies outside the project",
                "file/unreadable: the folder `sql/marts/b` is a symbolic link, which is not followed",
            ]
        );
    }

    #[test]
    fn only_the_default_environment_may_have_no_file() {
        let project = project();
        let chosen = |origin| Setting::new("s3".to_owned(), origin);
        let read = |origin| read_environment(project.path(), &chosen(origin));
        assert_eq!(read(Origin::Default).unwrap(), None);
        assert_eq!(
            messages(read(Origin::Flag("--env")).unwrap_err()),
            ["file/unreadable: `config/s3.yaml` does not exist"]
        );
        write(project.path(), "config/s3.yaml", b"raw: x\n");
        assert_eq!(&*read(Origin::Flag("--env")).unwrap().unwrap().text, "raw: x\n");
    }
}
