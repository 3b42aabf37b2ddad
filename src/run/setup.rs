//! What comes before the first packet, for files and interfaces alike.

use std::fs;
use std::io;
use std::time::{SystemTime, UNIX_EPOCH};

use super::Error;
use crate::base::Timestamp;
use crate::capture::link_types;
use crate::capture::privileges::{self, Identity};
use crate::capture::savefile::{Plan, Savefile};
use crate::cli::{FilterText, Options};
use crate::wire::LinkType;

/// The filter expression itself, or what the file of `-F` holds.
pub(super) fn expression(filter: &FilterText) -> Result<String, Error> {
    match filter {
        FilterText::Expression(text) => Ok(text.clone()),
        FilterText::File(path) if path.as_os_str() == "-" => io::read_to_string(io::stdin())
            .map_err(|error| Error::new(format!("-F -: standard input cannot be read: {error}"))),
        FilterText::File(path) => fs::read_to_string(path)
            .map_err(|error| Error::new(format!("-F {}: cannot be read: {error}", path.display()))),
    }
}

/// The link type that `-y` names; the name is checked even where nothing is captured, as tcpdump does.
pub(super) fn link_type(options: &Options) -> Result<Option<LinkType>, Error> {
    match &options.live.link_type {
        None => Ok(None),
        Some(name) => link_types::from_name(name).map(Some).ok_or_else(|| {
            Error::new(format!(
                "-y {name}: there is no such link type; right is a name such as EN10MB, LINUX_SLL2 or RAW"
            ))
        }),
    }
}

/// Opens the file of `-w`, gives root up, and makes sure that rotation goes on working.
pub(super) fn savefile_and_privileges(
    options: &Options,
    link: LinkType,
    snaplen: u32,
) -> Result<Option<Savefile>, Error> {
    let identity = Identity::choose(options.user.as_deref())?;
    let plan = options.write.as_ref().map(|write| Plan {
        name: write.name.clone(),
        rotate_bytes: write.rotate_bytes,
        rotate_seconds: write.rotate_seconds,
        files: write.rotate_files,
        post_rotate: write.post_rotate.clone(),
        packet_buffered: options.packet_buffered,
        nano: options.nano,
        snaplen,
        link,
    });
    let directory = plan.as_ref().and_then(Plan::rotates_in);
    let savefile = plan.map(|plan| Savefile::create(plan, now())).transpose()?;
    if let (Some(savefile), Some(_), Some(identity)) = (&savefile, &directory, &identity) {
        identity.hand_over(savefile.file())?;
    }
    privileges::drop(identity.as_ref())?;
    if let Some(directory) = directory
        && !privileges::may_create_in(&directory)
    {
        let who = identity.map_or_else(String::new, |identity| format!(" as {}", identity.name));
        return Err(Error::new(format!(
            "-w: rotation (-C, -G) could not create files in {}{who}; write where that user may, or choose the user with -Z \
             (-Z root stays root)",
            directory.display()
        )));
    }
    Ok(savefile)
}

/// The clock's time, for names of files; packets bring their own.
pub(super) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_nanos(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}
