//! The master key: from the configuration, or a file in the data folder that is made on the first start.

use std::{
    fs,
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use super::{decode, encode, random, vault::KEY_LENGTH};

/// Name of the file in the data folder.
pub(crate) const FILE_NAME: &str = "user-master.key";
/// Owner reads and writes, nobody else.
const PRIVATE_MODE: u32 = 0o600;

/// The master key cannot be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MasterKeyError {
    /// The file cannot be read or made.
    #[error("the master key file {path} cannot be used")]
    File {
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Not 32 bytes.
    #[error("the master key must be 32 bytes in base64url without padding (43 characters)")]
    Malformed,
}

/// Reads a key from text.
///
/// # Errors
/// When the text is not 32 bytes in base64url.
pub(crate) fn parse(text: &str) -> Result<[u8; KEY_LENGTH], MasterKeyError> {
    decode(text.trim())
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or(MasterKeyError::Malformed)
}

/// Reads the key of the folder, or makes one. A file that is there is always whole.
///
/// # Errors
/// When the file cannot be read or made, or holds something else.
pub(crate) fn load_or_create(folder: &Path) -> Result<[u8; KEY_LENGTH], MasterKeyError> {
    let path = folder.join(FILE_NAME);
    let failed = |source| MasterKeyError::File {
        path: path.display().to_string(),
        source,
    };
    let key: [u8; KEY_LENGTH] = random();
    write_private(&path, &encode(&key)).map_err(failed)?;
    parse(&fs::read_to_string(&path).map_err(failed)?)
}

/// Writes a file that nobody else may read, unless there is one. It appears whole or not at all.
///
/// # Errors
/// When the folder cannot be written.
pub(crate) fn write_private(path: &Path, text: &str) -> io::Result<()> {
    if path.exists() {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let draft = path.with_extension(format!("{}.tmp", encode(&random::<8>())));
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(PRIVATE_MODE)
        .open(&draft)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    // A link, unlike a rename, never replaces what another process made meanwhile.
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn the_key_is_made_once_and_only_its_owner_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let made = load_or_create(folder.path()).unwrap();
        assert_eq!(load_or_create(folder.path()).unwrap(), made);
        let path = folder.path().join(FILE_NAME);
        assert_eq!(
            fs::metadata(path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for text in [
            "",
            "short",
            &encode(&[1; 31]),
            &format!("{}=", encode(&[1; 32])),
        ] {
            assert!(
                matches!(parse(text), Err(MasterKeyError::Malformed)),
                "{text}"
            );
        }
        assert_eq!(parse(&format!("{}\n", encode(&[1; 32]))).unwrap(), [1; 32]);
    }
}
