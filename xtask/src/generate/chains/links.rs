//! The chain of a case: from whoever is behind it to the credentials of the call.

use super::super::seed::mix;
use super::super::template::push_hex;
use super::cast::{Place, Role};
use super::identity::{Identity, Kind};
use super::play::{HABIT, HOUR, MINUTE, SERVICE, Scene};
use super::shape::Shape;
use super::stage::{AGENT, Call, Stage};
use serde_json::{Value, json};

/// The chain of a case.
pub(super) struct Links {
    pub(super) subject: Identity,
    /// The account of the subject's calls.
    pub(super) account: usize,
    pub(super) role: Option<Role>,
    /// Whoever issued the subject's credentials, and in which account.
    pub(super) caller: Option<(Identity, usize)>,
    /// Names and keys from the head to the subject.
    pub(super) chain: Vec<String>,
    pub(super) keys: Vec<String>,
    pub(super) root_type: &'static str,
    pub(super) hops: usize,
    pub(super) confidence: &'static str,
}

impl Links {
    /// Somebody who is the head.
    fn head(subject: Identity, account: usize, root_type: &'static str) -> Self {
        Self {
            chain: vec![subject.root()],
            keys: subject.key.iter().cloned().collect(),
            subject,
            account,
            role: None,
            caller: None,
            root_type,
            hops: 0,
            confidence: "exact",
        }
    }

    /// The subject assumes a role at the time.
    fn assumes(self, stage: &mut Stage<'_>, at: i64, place: Place<'_>, role: Role, session: &str) -> Self {
        let subject = stage.assume(at, &self.subject, self.account, place, &role, session);
        self.becomes(subject, role.account, Some(role))
    }

    fn becomes(mut self, subject: Identity, account: usize, role: Option<Role>) -> Self {
        self.chain.push(subject.root());
        self.keys.extend(subject.key.clone());
        self.hops += 1;
        self.caller = Some((std::mem::replace(&mut self.subject, subject), self.account));
        Self { account, role, ..self }
    }

    /// The issuing call is not known.
    fn unknown(mut self) -> Self {
        self.chain.drain(..self.chain.len() - 1);
        self.keys.drain(..self.keys.len() - 1);
        Self { hops: 0, confidence: "weak", root_type: "unknown", caller: None, ..self }
    }
}

pub(super) fn links(stage: &mut Stage<'_>, shape: Shape, scene: &Scene) -> Links {
    let (number, account, issued) = (scene.number, scene.account, scene.issued);
    let id = |account: usize, stage: &Stage<'_>| stage.account(account).to_owned();
    let here = id(account, stage);
    let seed = mix(stage.rng.u64(..), 1);
    let user = |name: &str| {
        Identity::new(Kind::User, &here, &format!("{name}-{number}")).with_key(mix(seed, name.len() as u64))
    };
    let role = |name: &str| Role::new(account, format!("{name}-{number}"));
    let service = |name: &str| Links::head(Identity::new(Kind::Service, &here, name), account, "service");
    let asking = scene.asking();
    let session = scene.session.as_str();
    let head = Links::head(user("ops"), account, "user");
    match shape {
        Shape::Key => head,
        Shape::Role => {
            let mut links = head.assumes(stage, issued, asking, role("jobs"), session);
            links.subject.through = scene.is_through_service().then_some(SERVICE);
            links
        }
        Shape::Roles => {
            let count = stage.rng.i64(2..=5);
            let mut links = head;
            for hop in 0..count {
                let at = issued - (count - 1 - hop) * 5 * MINUTE;
                links = links.assumes(stage, at, asking, role(&format!("step{hop}")), session);
            }
            links
        }
        Shape::Across => {
            head.assumes(stage, issued, asking, Role::new(scene.other, format!("guest-{number}")), session)
        }
        Shape::RolesAcross => head
            .assumes(stage, issued - 10 * MINUTE, asking, role("hub"), session)
            .assumes(stage, issued, asking, Role::new(scene.other, format!("guest-{number}")), session),
        Shape::Foreign => {
            let principal = format!("AIDAFOREIGN{number:09}");
            Links::head(Identity::new(Kind::Foreign, "999988887777", &principal), account, "account").assumes(
                stage,
                issued,
                asking,
                role("partner"),
                session,
            )
        }
        Shape::Token => {
            let token = stage.token(issued, &head.subject, account, asking, None);
            Links::head(token, account, "user")
        }
        Shape::TokenRole => {
            let token = stage.token(issued - 10 * MINUTE, &head.subject, account, asking, None);
            Links::head(token, account, "user").assumes(stage, issued, asking, role("jobs"), session)
        }
        Shape::MadeKey => {
            let other = user("spare");
            stage.make_key(issued, &head.subject, account, asking, &other);
            let its = Links::head(other, account, "user");
            let role = role("reserve");
            its.assumes(stage, issued + 20, asking, role, session);
            head
        }
        Shape::WithMadeKey => {
            let other = user("spare");
            stage.make_key(issued - 10 * MINUTE, &head.subject, account, asking, &other);
            Links::head(other, account, "user").assumes(stage, issued, asking, role("jobs"), session)
        }
        Shape::Federated => {
            let name = format!("guest{number}");
            let federated = stage.token(issued, &head.subject, account, asking, Some(&name));
            head.becomes(federated, account, None)
        }
        Shape::Service => service("lambda.amazonaws.com").assumes(
            stage,
            issued,
            asking,
            role("worker"),
            &format!("worker-{number}"),
        ),
        Shape::ServiceRoles => service("ecs-tasks.amazonaws.com")
            .assumes(stage, issued - 10 * MINUTE, asking, role("task"), &format!("task-{number}"))
            .assumes(stage, issued, asking, role("jobs"), session),
        Shape::Instance | Shape::Stolen | Shape::StolenRole => {
            let mut instance = "i-0".to_owned();
            push_hex(&mut instance, seed, 16);
            let role = role("web");
            let machine = service("ec2.amazonaws.com");
            agent(stage, &machine, scene, &role, &instance);
            let at = if shape == Shape::StolenRole { issued - 10 * MINUTE } else { issued };
            let mut links = machine.assumes(stage, at, asking, role, &instance);
            let old = shape != Shape::Instance && stage.rng.bool();
            links.subject.delivery = Some(if old { "1.0" } else { "2.0" });
            links.root_type = "instance";
            if shape == Shape::StolenRole {
                links = links.assumes(
                    stage,
                    issued,
                    asking,
                    Role::new(account, format!("jobs-{number}")),
                    session,
                );
            }
            links
        }
        Shape::Saml | Shape::IdentityCenter => {
            let person = format!("MTIzNDU2:ana-{number}@example.com");
            let is_center = shape == Shape::IdentityCenter;
            let kind = if is_center { "identity-center" } else { "federation" };
            let role = if is_center {
                let name = format!("aws-reserved/sso.amazonaws.com/AWSReservedSSO_Operators_{number:016x}");
                Role::new(account, name)
            } else {
                role("staff")
            };
            let session = format!("ana-{number}@example.com");
            let mut head = Links::head(Identity::new(Kind::Saml, &here, &person), account, kind);
            head.subject.mfa = true;
            head.assumes(stage, issued, asking, role, &session)
        }
        Shape::Web => {
            let principal = format!(
                "arn:aws:iam::{here}:oidc-provider/git.example.com:sts.amazonaws.com:repo:shop/site{number}"
            );
            Links::head(Identity::new(Kind::Web, &here, &principal), account, "federation").assumes(
                stage,
                issued,
                asking,
                role("deploy"),
                session,
            )
        }
        Shape::Root => {
            let mut root = Identity::new(Kind::Root, &here, "root");
            (root.key, root.created, root.mfa) = (Some(stage.key()), issued, true);
            Links::head(root, account, "root")
        }
        Shape::MemberRoot => {
            let root = stage.become_root(issued, &head.subject, account, asking, scene.other);
            head.becomes(root, scene.other, None)
        }
        Shape::NoIssue => {
            let links = head.assumes(stage, issued, asking, role("jobs"), session);
            stage.take_back();
            links.unknown()
        }
        Shape::SameSecond | Shape::Keyless | Shape::Ambiguous => {
            let role = role("shared");
            if shape != Shape::Keyless {
                let its = Links::head(user("rival"), account, "user");
                let rival = its.assumes(stage, issued, scene.usually(), role.clone(), session);
                if shape == Shape::SameSecond {
                    stage.plain(issued + 30, &rival.subject, account, scene.usually(), HABIT[0], false);
                }
            }
            let mut links = head.assumes(stage, issued, asking, role, session);
            links.subject.hides_key = shape != Shape::SameSecond;
            match shape {
                Shape::Keyless => links.confidence = "inferred",
                Shape::Ambiguous => {
                    links = links.unknown();
                    links.keys.clear();
                }
                _ => {}
            }
            links
        }
        Shape::Long => {
            let mut links = head;
            for hop in 0..12 {
                let at = issued - (11 - hop) * MINUTE;
                links = links.assumes(stage, at, asking, role(&format!("hop{hop}")), session);
            }
            // Ten hops up from the last role is the second.
            links.chain.drain(..2);
            links.keys.drain(..2);
            Links { hops: 10, confidence: "weak", root_type: "unknown", ..links }
        }
    }
}

/// Systems Manager on the instance, with credentials of its own.
fn agent(stage: &mut Stage<'_>, machine: &Links, scene: &Scene, role: &Role, instance: &str) {
    let calls = [0, 1, 2, 5][stage.rng.usize(..4)];
    let first = scene.at - if stage.rng.u8(..4) == 0 { 30 } else { 5 } * HOUR;
    let place = Place { from: &scene.usual, with: AGENT, region: scene.usual_region };
    let mut it = stage.assume(first, &machine.subject, scene.account, place, role, instance);
    it.delivery = Some("2.0");
    for call in 0..calls {
        stage.call(Call {
            at: first + MINUTE + call * 30 * MINUTE,
            by: &it,
            from: &scene.usual,
            with: AGENT,
            service: "ssm",
            name: "UpdateInstanceInformation",
            region: scene.usual_region,
            account: scene.account,
            request: json!({"instanceId": instance, "agentVersion": "3.3.987.0", "platformType": "Linux",
                "agentName": "amazon-ssm-agent"}),
            response: Value::Null,
            error: None,
            read: false,
        });
    }
}
