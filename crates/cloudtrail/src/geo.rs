//! Where an address is and whose it is: databases in the format of `MaxMind`.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use maxminddb::{MaxMindDbError, Reader, geoip2};

/// A database for places and one for networks; either may be missing.
#[derive(Debug)]
pub struct Geo {
    city: Option<Reader<Vec<u8>>>,
    asn: Option<Reader<Vec<u8>>>,
}

/// Why a folder of databases was refused.
#[derive(Debug, thiserror::Error)]
pub enum GeoError {
    /// The folder cannot be read.
    #[error("cannot read the folder {}", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// A `.mmdb` file is not what its name says.
    #[error("cannot read the database {}", file.display())]
    Database {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        #[source]
        source: MaxMindDbError,
    },
    /// Two databases answer the same question.
    #[error("both {} and {} are databases of {kind}; keep one of them", first.display(), second.display())]
    Twice {
        /// `places` or `networks`.
        kind: &'static str,
        /// The one.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
    /// The folder has no database that is of use.
    #[error("{} has no City or ASN database in MaxMind's format (*.mmdb){}", folder.display(), found(others))]
    NoDatabase {
        /// The folder.
        folder: PathBuf,
        /// The types of the databases that it has.
        others: Vec<String>,
    },
}

fn found(others: &[String]) -> String {
    if others.is_empty() { String::new() } else { format!("; it has {}", others.join(", ")) }
}

/// What the databases say of one address.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Place {
    pub(crate) continent_name: Option<String>,
    pub(crate) country_iso_code: Option<String>,
    pub(crate) country_name: Option<String>,
    pub(crate) region_iso_code: Option<String>,
    pub(crate) region_name: Option<String>,
    pub(crate) city_name: Option<String>,
    /// Latitude and longitude.
    pub(crate) location: Option<(f64, f64)>,
    pub(crate) as_number: Option<u32>,
    pub(crate) as_organization: Option<String>,
}

impl Geo {
    /// Opens the City and the ASN database of a folder. Which is which says their content, not their name.
    pub fn open(folder: &Path) -> Result<Self, GeoError> {
        let unreadable = |source| GeoError::Folder { folder: folder.to_owned(), source };
        let mut files = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            if path.extension().is_some_and(|it| it.eq_ignore_ascii_case("mmdb")) {
                files.push(path);
            }
        }
        files.sort();
        let (mut city, mut asn, mut others) = (None, None, Vec::new());
        for file in files {
            let reader = Reader::open_readfile(&file)
                .map_err(|source| GeoError::Database { file: file.clone(), source })?;
            let kind = reader.metadata().database_type.clone();
            // GeoLite2-City, GeoIP2-City, GeoIP2-Enterprise and others have the same layout.
            let (slot, name) = if kind.contains("City") || kind.contains("Enterprise") {
                (&mut city, "places")
            } else if kind.contains("ASN") || kind.contains("ISP") {
                (&mut asn, "networks")
            } else {
                others.push(kind);
                continue;
            };
            if let Some((first, _)) = slot.replace((file.clone(), reader)) {
                return Err(GeoError::Twice { kind: name, first, second: file });
            }
        }
        if city.is_none() && asn.is_none() {
            return Err(GeoError::NoDatabase { folder: folder.to_owned(), others });
        }
        Ok(Self { city: city.map(|(_, it)| it), asn: asn.map(|(_, it)| it) })
    }

    /// What the databases say. An entry that cannot be decoded says nothing, as one that is not there.
    pub(crate) fn place(&self, address: IpAddr) -> Place {
        let mut place = Place::default();
        let text = |it: Option<&str>| it.map(str::to_owned);
        let city = self.city.as_ref().and_then(|it| it.lookup(address).ok());
        if let Some(city) = city.and_then(|it| it.decode::<geoip2::City<'_>>().ok().flatten()) {
            place.continent_name = text(city.continent.names.english);
            place.country_iso_code = text(city.country.iso_code);
            place.country_name = text(city.country.names.english);
            if let Some(region) = city.subdivisions.last() {
                place.region_iso_code = city
                    .country
                    .iso_code
                    .zip(region.iso_code)
                    .map(|(country, region)| format!("{country}-{region}"));
                place.region_name = text(region.names.english);
            }
            place.city_name = text(city.city.names.english);
            place.location = city.location.latitude.zip(city.location.longitude);
        }
        let asn = self.asn.as_ref().and_then(|it| it.lookup(address).ok());
        if let Some(asn) = asn.and_then(|it| it.decode::<geoip2::Asn<'_>>().ok().flatten()) {
            place.as_number = asn.autonomous_system_number;
            place.as_organization = text(asn.autonomous_system_organization);
        }
        place
    }
}
