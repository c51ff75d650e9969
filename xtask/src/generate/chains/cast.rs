//! Who takes part in a case, and the calls by which credentials are issued.

use super::identity::{Identity, Kind};
use super::stage::{Call, Stage, Tool};
use serde_json::{Value, json};

/// Where somebody is, and with what.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'c> {
    pub(super) from: &'c str,
    pub(super) with: Tool,
    /// Where STS is asked.
    pub(super) region: usize,
}

/// A role to assume.
#[derive(Debug, Clone)]
pub(super) struct Role {
    /// The account, by its number.
    pub(super) account: usize,
    /// With its path.
    pub(super) name: String,
}

impl Role {
    pub(super) fn new(account: usize, name: impl Into<String>) -> Self {
        Self { account, name: name.into() }
    }
}

impl Stage<'_> {
    pub(super) fn role_arn(&self, role: &Role) -> String {
        format!("arn:aws:iam::{}:role/{}", self.account(role.account), role.name)
    }

    /// `by` assumes the role.
    pub(super) fn assume(
        &mut self,
        at: i64,
        by: &Identity,
        account: usize,
        place: Place<'_>,
        role: &Role,
        session: &str,
    ) -> Identity {
        let mut it = Identity::new(Kind::Role, self.account(role.account), &role.name);
        session.clone_into(&mut it.session);
        (it.key, it.created, it.mfa) = (Some(self.key()), at, by.mfa);
        let arn = self.role_arn(role);
        let name = match by.kind {
            Kind::Saml => "AssumeRoleWithSAML",
            Kind::Web => "AssumeRoleWithWebIdentity",
            _ => "AssumeRole",
        };
        let mut response = json!({"credentials": {"accessKeyId": it.key, "sessionToken": "…"}});
        if by.kind != Kind::Service {
            response["assumedRoleUser"] =
                json!({"assumedRoleId": format!("{}:{session}", it.principal()), "arn": it.arn()});
        }
        let call = Call {
            at,
            by,
            from: if by.kind == Kind::Service { &by.name } else { place.from },
            with: place.with,
            service: "sts",
            name,
            region: place.region,
            account: if by.kind == Kind::Foreign { role.account } else { account },
            request: json!({"roleArn": arn, "roleSessionName": session, "durationSeconds": 3600}),
            response,
            error: None,
            read: true,
        };
        if by.kind == Kind::Foreign || account == role.account {
            self.call(call);
        } else {
            self.call_across(call, role.account);
        }
        it
    }

    /// `by` is refused the role.
    pub(super) fn refuse(&mut self, at: i64, by: &Identity, account: usize, place: Place<'_>, role: &Role) {
        let arn = self.role_arn(role);
        let message =
            format!("User: {} is not authorized to perform: sts:AssumeRole on resource: {arn}", by.arn());
        self.call(Call {
            at,
            by,
            from: place.from,
            with: place.with,
            service: "sts",
            name: "AssumeRole",
            region: place.region,
            account,
            request: Value::Null,
            response: Value::Null,
            error: Some(("AccessDenied", message)),
            read: true,
        });
    }

    /// The user gets a token, or a federated user.
    pub(super) fn token(
        &mut self,
        at: i64,
        by: &Identity,
        account: usize,
        place: Place<'_>,
        federated: Option<&str>,
    ) -> Identity {
        let mut it = by.clone();
        (it.key, it.created) = (Some(self.key()), at);
        let credentials = json!({"accessKeyId": it.key, "sessionToken": "…"});
        let (name, request, response) = match federated {
            None => {
                (it.kind, it.mfa) = (Kind::Token, true);
                let request = json!({"serialNumber": format!("arn:aws:iam::{}:mfa/{}", by.account, by.name)});
                ("GetSessionToken", request, json!({"credentials": credentials}))
            }
            Some(session) => {
                it.kind = Kind::Federated;
                session.clone_into(&mut it.session);
                let user = json!({"federatedUserId": it.principal(), "arn": it.arn()});
                (
                    "GetFederationToken",
                    json!({"name": session}),
                    json!({"credentials": credentials, "federatedUser": user}),
                )
            }
        };
        self.call(Call {
            at,
            by,
            from: place.from,
            with: place.with,
            service: "sts",
            name,
            region: place.region,
            account,
            request,
            response,
            error: None,
            read: true,
        });
        it
    }

    /// The user makes a key for another.
    pub(super) fn make_key(
        &mut self,
        at: i64,
        by: &Identity,
        account: usize,
        place: Place<'_>,
        other: &Identity,
    ) {
        self.call(Call {
            at,
            by,
            from: place.from,
            with: place.with,
            service: "iam",
            name: "CreateAccessKey",
            region: 0,
            account,
            request: json!({"userName": other.name}),
            response: json!({"accessKey": {"accessKeyId": other.key, "status": "Active", "userName": other.name}}),
            error: None,
            read: false,
        });
    }

    /// A user of the management account becomes root of a member.
    pub(super) fn become_root(
        &mut self,
        at: i64,
        by: &Identity,
        account: usize,
        place: Place<'_>,
        member: usize,
    ) -> Identity {
        let mut it = Identity::new(Kind::MemberRoot, self.account(member), "root");
        (it.key, it.created) = (Some(self.key()), at);
        self.call(Call {
            at,
            by,
            from: place.from,
            with: place.with,
            service: "sts",
            name: "AssumeRoot",
            region: place.region,
            account,
            request: json!({"targetPrincipal": it.account,
                "taskPolicyArn": {"arn": "arn:aws:iam::aws:policy/root-task/IAMAuditRootUserCredentials"}}),
            response: json!({"credentials": {"accessKeyId": it.key, "sessionToken": "…"}}),
            error: None,
            read: false,
        });
        it
    }

    /// One plain call.
    pub(super) fn plain(
        &mut self,
        at: i64,
        by: &Identity,
        account: usize,
        place: Place<'_>,
        call: (&'static str, &'static str, bool),
        refused: bool,
    ) -> String {
        let (service, name, read) = call;
        let error = refused.then(|| {
            let text = format!("User: {} is not authorized to perform: {service}:{name}", by.arn());
            ("AccessDenied", text)
        });
        self.call(Call {
            at,
            by,
            from: place.from,
            with: place.with,
            service,
            name,
            region: place.region,
            account,
            request: Value::Null,
            response: Value::Null,
            error,
            read,
        })
    }
}
