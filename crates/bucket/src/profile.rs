//! The files of profiles that the AWS CLI keeps.

/// What a profile says, of what matters here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Profile {
    pub(crate) key_id: Option<String>,
    pub(crate) secret: Option<String>,
    pub(crate) token: Option<String>,
    pub(crate) region: Option<String>,
    pub(crate) endpoint: Option<String>,
    /// How it gets credentials, if not by keys.
    pub(crate) other: Option<&'static str>,
}

impl Profile {
    /// Reads the profile of this name from the texts of `credentials` and `config`; nothing if neither has it.
    pub(crate) fn read(name: &str, credentials: &str, config: &str) -> Option<Self> {
        let mut profile = Self::default();
        // In `config` all but the default one have a word before their name.
        let in_config = |section: &str| match section.strip_prefix("profile") {
            Some(rest) => rest.trim() == name,
            None => section == name && name == DEFAULT,
        };
        let mut is_there = profile.take(config, in_config);
        is_there |= profile.take(credentials, |section| section == name);
        is_there.then_some(profile)
    }

    /// Takes what a file says; whether there is such a section.
    fn take(&mut self, text: &str, is_section: impl Fn(&str) -> bool) -> bool {
        let (mut is_there, mut is_in) = (false, false);
        for line in text.lines() {
            // What is indented belongs to the key before it, such as `s3 =`.
            if line.starts_with([' ', '\t', '#', ';']) {
                continue;
            }
            if let Some(section) = line.strip_prefix('[').and_then(|it| it.split_once(']')) {
                is_in = is_section(section.0.trim());
                is_there |= is_in;
                continue;
            }
            let Some((key, value)) = line.split_once('=').filter(|_| is_in) else { continue };
            let value = Some(value.trim().to_owned()).filter(|it| !it.is_empty());
            match key.trim() {
                "aws_access_key_id" => self.key_id = value,
                "aws_secret_access_key" => self.secret = value,
                "aws_session_token" => self.token = value,
                "region" => self.region = value,
                "endpoint_url" => self.endpoint = value,
                "role_arn" => self.other = Some("it takes on a role"),
                "sso_session" | "sso_start_url" => self.other = Some("it signs on by SSO"),
                "credential_process" => self.other = Some("a program gives its credentials"),
                _ => {}
            }
        }
        is_there
    }
}

/// The profile if none is named.
pub(crate) const DEFAULT: &str = "default";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_are_found_in_both_files() {
        let credentials = "[default]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key=wJalrXUtnFEMI/K7MDENG\n\
                           # comment\n[audit]\naws_access_key_id = AKIDAUDIT\naws_secret_access_key = abc=\n\
                           aws_session_token = t\n";
        let config = "[default]\nregion = eu-west-1\n[profile audit]\nregion = us-gov-west-1\ns3 =\n  endpoint_url = x\n\
                      endpoint_url = http://127.0.0.1:9000\n[profile sso]\nsso_session = corp\nregion = eu-west-1\n\
                      [audit]\nregion = wrong\n";
        let of = |name| Profile::read(name, credentials, config);
        let default = of("default").unwrap();
        assert_eq!(default.key_id.as_deref(), Some("AKIDEXAMPLE"));
        assert_eq!(default.region.as_deref(), Some("eu-west-1"));
        let audit = of("audit").unwrap();
        assert_eq!((audit.secret.as_deref(), audit.token.as_deref()), (Some("abc="), Some("t")));
        assert_eq!(audit.region.as_deref(), Some("us-gov-west-1"));
        assert_eq!(audit.endpoint.as_deref(), Some("http://127.0.0.1:9000"));
        assert_eq!(of("sso").unwrap().other, Some("it signs on by SSO"));
        assert_eq!(of("nobody"), None);
    }
}
