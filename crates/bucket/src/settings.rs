//! Who asks, where, and how: what the environment and the files of the AWS CLI say.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use object_store::aws::AmazonS3ConfigKey;

use crate::BucketError;
use crate::profile::{DEFAULT, Profile};

/// The region that is asked first, if nobody names one.
const FIRST_REGION: &str = "us-east-1";

/// Who asks, where, and how.
#[derive(Clone)]
pub struct Settings {
    /// What says where credentials are, for the library beneath.
    pub(crate) options: Vec<(AmazonS3ConfigKey, String)>,
    /// Where S3 is, if it is not on AWS.
    pub(crate) endpoint: Option<String>,
    /// The region that is asked first.
    pub(crate) region: String,
    /// Whether the bucket is a part of the name of the host.
    pub(crate) is_virtual_hosted: bool,
    /// Whether requests are signed.
    pub(crate) is_signed: bool,
    /// Whether who asks pays.
    pub(crate) is_payer: bool,
    /// A file of certificates that are trusted, too.
    pub(crate) certificates: Option<PathBuf>,
    /// What is wrong with a profile, as long as nobody else gives credentials.
    pub(crate) wrong_profile: Option<BucketError>,
    /// How long it is waited before something is tried again for the first time.
    pub(crate) pause: Duration,
}

impl Settings {
    /// What variables of the environment say, and the files that they name; `file` reads one.
    pub fn of(
        variables: &BTreeMap<String, String>,
        file: &dyn Fn(&Path) -> Option<String>,
    ) -> Result<Self, BucketError> {
        let get = |name: &str| variables.get(name).filter(|it| !it.is_empty()).cloned();
        let mut options: Vec<(AmazonS3ConfigKey, String)> = Vec::new();
        for (name, value) in variables.iter().filter(|it| it.0.starts_with("AWS_") && !it.1.is_empty()) {
            if let Ok(key) = name.to_ascii_lowercase().parse() {
                options.push((key, value.clone()));
            }
        }
        let home = get("HOME").or_else(|| get("USERPROFILE")).map(PathBuf::from);
        let at = |variable: &str, name: &str| {
            let path = get(variable).map(PathBuf::from);
            path.or_else(|| Some(home.as_ref()?.join(".aws").join(name)))
                .and_then(|it| file(&it))
                .unwrap_or_default()
        };
        let named = get("AWS_PROFILE").or_else(|| get("AWS_DEFAULT_PROFILE"));
        let name = named.as_deref().unwrap_or(DEFAULT);
        let profile = Profile::read(
            name,
            &at("AWS_SHARED_CREDENTIALS_FILE", "credentials"),
            &at("AWS_CONFIG_FILE", "config"),
        );
        if let (None, Some(profile)) = (&profile, &named) {
            let detail = "there is no such profile in ~/.aws/credentials and ~/.aws/config".to_owned();
            return Err(BucketError::Profile { profile: profile.clone(), detail });
        }
        let profile = profile.unwrap_or_default();
        let has_own = get("AWS_ACCESS_KEY_ID").is_some()
            || get("AWS_WEB_IDENTITY_TOKEN_FILE").is_some() && get("AWS_ROLE_ARN").is_some();
        let mut wrong_profile = None;
        if !has_own {
            match (profile.key_id, profile.secret, profile.other) {
                // A role that is taken on with these keys is another identity.
                (_, _, Some(how)) => {
                    let detail = format!("{how}, which is not done here");
                    wrong_profile = Some(BucketError::Profile { profile: name.to_owned(), detail });
                }
                (Some(key_id), Some(secret), None) => {
                    options.push((AmazonS3ConfigKey::AccessKeyId, key_id));
                    options.push((AmazonS3ConfigKey::SecretAccessKey, secret));
                    options.extend(profile.token.map(|it| (AmazonS3ConfigKey::Token, it)));
                }
                (Some(_), None, None) | (None, Some(_), None) => {
                    let detail = "one of aws_access_key_id and aws_secret_access_key is missing".to_owned();
                    return Err(BucketError::Profile { profile: name.to_owned(), detail });
                }
                (None, None, None) => {}
            }
        }
        let is_set =
            |name: &str| get(name).is_some_and(|it| matches!(&*it.to_lowercase(), "true" | "1" | "yes"));
        let endpoint = get("AWS_ENDPOINT_URL_S3").or_else(|| get("AWS_ENDPOINT_URL")).or(profile.endpoint);
        let region = get("AWS_REGION").or_else(|| get("AWS_DEFAULT_REGION")).or(profile.region);
        Ok(Self {
            options,
            // Elsewhere than on AWS the bucket is a part of the path, unless somebody says otherwise.
            is_virtual_hosted: match get("AWS_VIRTUAL_HOSTED_STYLE_REQUEST") {
                Some(_) => is_set("AWS_VIRTUAL_HOSTED_STYLE_REQUEST"),
                None => endpoint.is_none(),
            },
            endpoint: endpoint.map(|it| it.trim_end_matches('/').to_owned()),
            region: region.unwrap_or_else(|| FIRST_REGION.to_owned()),
            is_signed: !is_set("AWS_SKIP_SIGNATURE"),
            is_payer: is_set("AWS_REQUEST_PAYER") || get("AWS_REQUEST_PAYER").as_deref() == Some("requester"),
            certificates: get("AWS_CA_BUNDLE").map(PathBuf::from),
            wrong_profile,
            pause: Duration::from_millis(100),
        })
    }

    /// As these, with another endpoint or region.
    #[must_use]
    pub fn with(mut self, endpoint: Option<&str>, region: Option<&str>) -> Self {
        if let Some(endpoint) = endpoint {
            self.endpoint = Some(endpoint.trim_end_matches('/').to_owned());
            self.is_virtual_hosted = false;
        }
        if let Some(region) = region {
            region.clone_into(&mut self.region);
        }
        self
    }

    /// As these, with another pause before something is tried again for the first time; each later one is twice as long.
    #[must_use]
    pub fn with_pause(mut self, pause: Duration) -> Self {
        self.pause = pause;
        self
    }

    /// Where a bucket of a region is asked for, without a slash at the end.
    pub(crate) fn url(&self, bucket: &str, region: &str) -> String {
        match &self.endpoint {
            Some(endpoint) if self.is_virtual_hosted => match endpoint.split_once("://") {
                Some((scheme, host)) => format!("{scheme}://{bucket}.{host}"),
                None => format!("https://{bucket}.{endpoint}"),
            },
            Some(endpoint) if endpoint.contains("://") => format!("{endpoint}/{bucket}"),
            Some(endpoint) => format!("https://{endpoint}/{bucket}"),
            None => {
                let domain = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
                // A certificate is good for one name before the domain, and a dot would make two.
                if self.is_virtual_hosted && !bucket.contains('.') {
                    format!("https://{bucket}.s3.{region}.{domain}")
                } else {
                    format!("https://s3.{region}.{domain}/{bucket}")
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Result<Settings, BucketError> {
        let variables = variables.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        Settings::of(&variables, &|path| match path.to_str()? {
            "/home/a/.aws/credentials" => Some(
                "[default]\naws_access_key_id=AKIDD\naws_secret_access_key=s\n[half]\naws_access_key_id=a\n"
                    .to_owned(),
            ),
            "/home/a/.aws/config" => Some(
                "[default]\nregion=eu-north-1\n[profile sso]\nsso_session=x\nregion=eu-west-3\n".to_owned(),
            ),
            _ => None,
        })
    }

    fn key_id(settings: &Settings) -> Option<&str> {
        let found = settings.options.iter().rev().find(|it| it.0 == AmazonS3ConfigKey::AccessKeyId);
        found.map(|it| it.1.as_str())
    }

    #[test]
    fn the_environment_goes_before_profiles() {
        let own = of(&[("HOME", "/home/a"), ("AWS_ACCESS_KEY_ID", "AKIDE"), ("AWS_SECRET_ACCESS_KEY", "t")])
            .unwrap();
        assert_eq!((key_id(&own), &*own.region), (Some("AKIDE"), "eu-north-1"));
        let default = of(&[("HOME", "/home/a"), ("AWS_REGION", "us-west-2")]).unwrap();
        assert_eq!((key_id(&default), &*default.region), (Some("AKIDD"), "us-west-2"));
        let web =
            of(&[("HOME", "/home/a"), ("AWS_WEB_IDENTITY_TOKEN_FILE", "/t"), ("AWS_ROLE_ARN", "r")]).unwrap();
        assert_eq!(key_id(&web), None);
        assert_eq!((key_id(&of(&[]).unwrap()), &*of(&[]).unwrap().region), (None, "us-east-1"));
    }

    #[test]
    fn profiles_that_cannot_be_used_are_told() {
        let code = |name| of(&[("HOME", "/home/a"), ("AWS_PROFILE", name)]).err().map(|it| it.code());
        assert_eq!((code("nobody"), code("half")), (Some("BKT003"), Some("BKT003")));
        // An instance may give credentials yet.
        let sso = of(&[("HOME", "/home/a"), ("AWS_PROFILE", "sso")]).unwrap();
        assert_eq!(sso.wrong_profile.map(|it| it.code()), Some("BKT003"));
        assert_eq!(sso.region, "eu-west-3");
    }

    #[test]
    fn where_buckets_are() {
        let aws = of(&[]).unwrap();
        assert_eq!(aws.url("trail", "eu-west-1"), "https://trail.s3.eu-west-1.amazonaws.com");
        assert_eq!(aws.url("my.trail", "eu-west-1"), "https://s3.eu-west-1.amazonaws.com/my.trail");
        assert_eq!(aws.url("trail", "cn-north-1"), "https://trail.s3.cn-north-1.amazonaws.com.cn");
        let other = of(&[("AWS_ENDPOINT_URL", "http://127.0.0.1:9000/")]).unwrap();
        assert_eq!(other.url("trail", "x"), "http://127.0.0.1:9000/trail");
        let virtual_hosted =
            of(&[("AWS_ENDPOINT_URL", "http://s3.test"), ("AWS_VIRTUAL_HOSTED_STYLE_REQUEST", "true")])
                .unwrap();
        assert_eq!(virtual_hosted.url("trail", "x"), "http://trail.s3.test");
        let s3 = of(&[("AWS_ENDPOINT_URL", "http://a"), ("AWS_ENDPOINT_URL_S3", "http://b")]).unwrap();
        assert_eq!(s3.url("t", "x"), "http://b/t");
        assert_eq!(aws.with(Some("http://c/"), Some("r")).url("t", "x"), "http://c/t");
    }
}
