//! A case as it happens: the chain, what the identity did before, the call to alert on, what came of it.

use super::super::template::push_hex;
use super::cast::{Place, Role};
use super::identity::{Identity, Kind};
use super::links::{Links, links};
use super::shape::Shape;
use super::stage::{Call, KALI, Stage, TOOLS, Tool};
use super::told::Known;
use serde_json::{Value, json};

pub(super) const MINUTE: i64 = 60;
pub(super) const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// A service that calls for somebody.
pub(super) const SERVICE: &str = "cloudformation.amazonaws.com";

/// What the identities do every day: service, call, whether it only reads.
pub(super) const HABIT: [(&str, &str, bool); 5] = [
    ("ec2", "DescribeInstances", true),
    ("s3", "ListBuckets", true),
    ("logs", "DescribeLogGroups", true),
    ("sqs", "GetQueueAttributes", true),
    ("dynamodb", "UpdateTable", false),
];
/// What they do not do.
const NEWS: [(&str, &str, bool); 4] = [
    ("iam", "ListUsers", true),
    ("lambda", "ListFunctions20150331", true),
    ("ec2", "CreateTags", false),
    ("kms", "ListAliases", true),
];

/// The first record of every trail: from then on there are data.
pub(super) fn begin(stage: &mut Stage<'_>) {
    let service = Identity::new(Kind::Service, "", "config.amazonaws.com");
    for account in 0..stage.ground.world.accounts.len() {
        for region in 0..stage.ground.world.regions.len() {
            stage.call(Call {
                at: stage.ground.plan.start,
                by: &service,
                from: "config.amazonaws.com",
                with: TOOLS[0],
                service: "config",
                name: "DescribeConfigurationRecorderStatus",
                region,
                account,
                request: Value::Null,
                response: Value::Null,
                error: None,
                read: true,
            });
        }
    }
}

/// Where and when, with what.
pub(super) struct Scene {
    pub(super) number: usize,
    pub(super) account: usize,
    pub(super) other: usize,
    /// The call to alert on.
    pub(super) at: i64,
    /// When its credentials were issued.
    pub(super) issued: i64,
    pub(super) usual: String,
    pub(super) now: String,
    pub(super) usual_tool: Tool,
    pub(super) now_tool: Tool,
    pub(super) usual_region: usize,
    pub(super) now_region: usize,
    pub(super) session: String,
}

impl Scene {
    fn new(stage: &mut Stage<'_>, shape: Shape, number: usize) -> Self {
        let plan = stage.ground.plan;
        let (accounts, regions) = (stage.ground.world.accounts.len(), stage.ground.world.regions.len());
        let rng = &mut stage.rng;
        let length = plan.end - plan.start;
        let at = plan.start + length * 6 / 10 + rng.i64(0..(length * 4 / 10 - 2 * DAY).max(1));
        let account = rng.usize(..accounts);
        let usual_region = rng.usize(..regions);
        let usual_tool = TOOLS[rng.usize(..TOOLS.len() - 1)];
        let place = |range: u8| format!("198.{range}.{}.{}", number / 250 % 250, number % 250 + 1);
        let is_instance = matches!(shape, Shape::Instance | Shape::Stolen | Shape::StolenRole);
        let usual = place(19);
        let now = match rng.u8(..12) {
            _ if shape == Shape::Instance => usual.clone(),
            0..=3 if !is_instance => usual.clone(),
            4 | 5 => format!("2001:db8:7:{:x}::{:x}", number + 1, rng.u8(1..)),
            6 if !is_instance => format!("10.{}.{}.9", number / 250 % 250, number % 250 + 1),
            7 if shape == Shape::Role => SERVICE.to_owned(),
            _ => place(18),
        };
        Self {
            number,
            account,
            other: (account + 1) % accounts,
            at,
            issued: at - rng.i64(MINUTE..50 * MINUTE),
            usual,
            now,
            usual_tool,
            now_tool: match rng.u8(..6) {
                0..=2 => usual_tool,
                3 | 4 => TOOLS[rng.usize(..TOOLS.len())],
                _ => KALI,
            },
            usual_region,
            now_region: if rng.u8(..4) == 0 { rng.usize(..regions) } else { usual_region },
            session: format!("{}-{}", if rng.bool() { "build" } else { "manual" }, rng.u16(..)),
        }
    }

    /// A service calls for somebody.
    pub(super) fn is_through_service(&self) -> bool {
        self.now == SERVICE
    }

    pub(super) fn place(&self) -> Place<'_> {
        Place { from: &self.now, with: self.now_tool, region: self.now_region }
    }

    /// Where whoever is behind it asks for credentials.
    pub(super) fn asking(&self) -> Place<'_> {
        // A service that calls for somebody asks for no credentials.
        let from = if self.is_through_service() { &self.usual } else { &self.now };
        Place { from, with: self.now_tool, region: 0 }
    }

    pub(super) fn usually(&self) -> Place<'_> {
        Place { from: &self.usual, with: self.usual_tool, region: self.usual_region }
    }
}

pub(super) fn case(stage: &mut Stage<'_>, shape: Shape, number: usize) -> Known {
    let scene = Scene::new(stage, shape, number);
    let links = links(stage, shape, &scene);
    let role_made = prepare(stage, &scene, &links);
    // Somebody tried before.
    if let (Some((caller, account)), Some(role)) = (&links.caller, &links.role)
        && matches!(caller.kind, Kind::User | Kind::Token | Kind::Role)
    {
        for before in [3, 90, 3_000, 2 * HOUR].iter().take(stage.rng.usize(..=4)) {
            stage.refuse(links.subject.created - before, caller, *account, scene.asking(), role);
        }
    }
    bystanders(stage, &scene);
    let alert = act(stage, &scene, &links);
    let assumed = links.caller.as_ref().filter(|_| links.role.is_some());
    let role = links.role.as_ref().map_or(String::new(), |it| stage.role_arn(it));
    let is_instance = matches!(shape, Shape::Instance | Shape::Stolen);
    Known {
        shape: shape.name(),
        alert,
        at: scene.at,
        assumed: assumed.map(|(caller, _)| (links.subject.created, caller.whose())),
        chain: links.chain,
        keys: links.keys,
        root_type: links.root_type,
        hops: links.hops,
        confidence: links.confidence,
        role_made,
        address: scene.now.clone(),
        agent: scene.now_tool.agent,
        home: is_instance.then(|| scene.usual.clone()),
        subject: links.subject,
        role,
    }
}

/// What the identity did in the weeks before. Says when its role was made, if that is in the data.
fn prepare(stage: &mut Stage<'_>, scene: &Scene, links: &Links) -> Option<i64> {
    let calls = [0, 0, 12, 30, 60, 110, 140][stage.rng.usize(..7)];
    let quiet_hour = stage.rng.bool().then(|| scene.at.rem_euclid(DAY) / HOUR);
    let end = links.subject.created.min(scene.at) - 4 * HOUR;
    let other = Identity::new(Kind::User, stage.account(scene.account), &format!("usual-{}", scene.number))
        .with_key(stage.rng.u64(..));
    let is_same = stage.rng.bool();
    let mut made = 0;
    while made < calls {
        // Now and then longer ago than anybody looks.
        let days = if stage.rng.u8(..10) == 0 { 40 } else { 29 };
        let mut at = end - stage.rng.i64(0..days * DAY);
        let it = before(stage, scene, links, at, if is_same { None } else { Some(&other) });
        for _ in 0..stage.rng.usize(1..=8) {
            at += stage.rng.i64(1..2 * MINUTE);
            made += 1;
            if quiet_hour == Some(at.rem_euclid(DAY) / HOUR) || at > end {
                continue;
            }
            let call = HABIT[stage.rng.usize(..HABIT.len())];
            let refused = stage.rng.u8(..20) == 0;
            stage.plain(at, &it, links.account, scene.usually(), call, refused);
        }
    }
    let role = links.role.as_ref()?;
    let at = match (calls, stage.rng.u8(..3)) {
        (0, 0) => links.subject.created - stage.rng.i64(10..HOUR),
        (_, 1) => scene.at - 45 * DAY,
        _ => return None,
    };
    let name = role.name.rsplit('/').next().unwrap_or_default();
    stage.call(Call {
        at,
        by: &other,
        from: &scene.usual,
        with: scene.usual_tool,
        service: "iam",
        name: "CreateRole",
        region: 0,
        account: role.account,
        request: json!({"roleName": name, "assumeRolePolicyDocument": "{}"}),
        response: json!({"role": {"roleName": name}}),
        error: None,
        read: false,
    });
    (at >= stage.ground.plan.start).then_some(at)
}

/// The identity as it was then: a session of its own, if it has sessions.
fn before(stage: &mut Stage<'_>, scene: &Scene, links: &Links, at: i64, by: Option<&Identity>) -> Identity {
    let mut it = links.subject.clone();
    it.hides_key = false;
    it.through = None;
    match it.kind {
        Kind::User => return it,
        // A token's user has a key, too.
        Kind::Token => {
            it.kind = Kind::User;
            return it.with_key(scene.number as u64);
        }
        Kind::Root | Kind::MemberRoot => {
            (it.key, it.created) = (Some(stage.key()), at);
            return it;
        }
        Kind::Federated | Kind::Role | Kind::Service | Kind::Saml | Kind::Web | Kind::Foreign => {}
    }
    let is_machine = it.delivery.is_some();
    let (Some(role), Some((caller, account))) = (&links.role, &links.caller) else {
        // Nobody knows who issued it.
        (it.key, it.created) = (Some(stage.key()), at);
        return it;
    };
    let mut caller = caller.clone();
    let mut account = *account;
    if let Some(other) =
        by.filter(|_| !is_machine && matches!(caller.kind, Kind::User | Kind::Token | Kind::Role))
    {
        caller = other.clone();
        account = scene.account;
    } else if matches!(caller.kind, Kind::Role | Kind::Token) {
        (caller.key, caller.created) = (Some(stage.key()), at - MINUTE);
    }
    let session = if is_machine || it.session.contains('@') {
        it.session.clone()
    } else {
        format!("build-{}", stage.rng.u16(..))
    };
    let mut session =
        stage.assume(at, &caller, account, Place { region: 0, ..scene.usually() }, role, &session);
    session.delivery = is_machine.then_some("2.0");
    session
}

/// Others at the same address: within a week, and before and after that.
fn bystanders(stage: &mut Stage<'_>, scene: &Scene) {
    if scene.is_through_service() {
        return;
    }
    let times = [0, 2 * DAY, 6 * DAY, 8 * DAY, -12 * HOUR, -25 * HOUR];
    for (at, before) in times.iter().enumerate() {
        if stage.rng.u8(..4) == 0 {
            let name = format!("neighbour{at}-{}", scene.number);
            let it =
                Identity::new(Kind::User, stage.account(scene.account), &name).with_key(stage.rng.u64(..));
            stage.plain(scene.at - before, &it, scene.account, scene.place(), HABIT[1], false);
        }
    }
}

/// What the session did, with the call to alert on, and where it led.
fn act(stage: &mut Stage<'_>, scene: &Scene, links: &Links) -> String {
    let Links { subject, account, .. } = links;
    for _ in 0..stage.rng.usize(..5) {
        let begun = if subject.kind == Kind::User { scene.at - 20 * MINUTE } else { subject.created };
        let at = stage.rng.i64(begun..=scene.at);
        let call = if stage.rng.bool() {
            HABIT[stage.rng.usize(..HABIT.len())]
        } else {
            NEWS[stage.rng.usize(..NEWS.len())]
        };
        let refused = stage.rng.bool();
        stage.plain(at, subject, *account, scene.place(), call, refused);
    }
    let mut instance = "i-0".to_owned();
    push_hex(&mut instance, stage.rng.u64(..), 16);
    let message = format!(
        "You are not authorized to perform this operation. User: {} is not authorized to perform: ec2:GetPasswordData because no identity-based policy allows the ec2:GetPasswordData action",
        subject.arn()
    );
    let alert = stage.call(Call {
        at: scene.at,
        by: subject,
        from: &scene.now,
        with: scene.now_tool,
        service: "ec2",
        name: "GetPasswordData",
        region: scene.now_region,
        account: *account,
        request: json!({"instanceId": instance}),
        response: Value::Null,
        error: Some(("Client.UnauthorizedOperation", message)),
        read: true,
    });
    // The last of them is too late to be compared.
    for after in [5 * MINUTE, HOUR, 3 * HOUR] {
        if stage.rng.bool() {
            stage.plain(scene.at + after, subject, *account, scene.place(), HABIT[0], false);
        }
    }
    let can_assume = matches!(subject.kind, Kind::User | Kind::Token | Kind::Role);
    // Who cannot be told apart leads nowhere that anybody could tell.
    if can_assume && !links.keys.is_empty() {
        for onward in 0..stage.rng.usize(..4) {
            let there = if stage.rng.bool() { *account } else { scene.other };
            let role = Role::new(there, format!("reach{onward}-{}", scene.number));
            let at = scene.at + 10 * MINUTE * (onward as i64 + 1);
            let reached = stage.assume(at, subject, *account, scene.asking(), &role, "onward");
            stage.plain(at + 5, &reached, there, scene.asking(), HABIT[1], false);
            if stage.rng.u8(..3) == 0 {
                let next = Role::new(there, format!("further{onward}-{}", scene.number));
                stage.assume(at + 60, &reached, there, scene.asking(), &next, "further");
            }
        }
    }
    alert
}
