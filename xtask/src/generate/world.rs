//! Who exists: accounts, and in each the services, roles and people with their habits.

use super::catalogue::Catalogue;
use super::clock;
use super::seed::{Choice, mix};
use super::template::{Value, push_all, push_hex, push_key, push_resource_of};
use fastrand::Rng;
use std::collections::BTreeMap;

/// Applications of the imagined company; names of most resources begin with one.
pub(super) const APPS: [&str; 16] = [
    "orders",
    "payments",
    "search",
    "ledger",
    "catalogue",
    "identity",
    "reports",
    "mobile",
    "pricing",
    "shipping",
    "invoices",
    "reviews",
    "support",
    "campaigns",
    "stock",
    "returns",
];

/// Regions by how much is done in them. Global services are recorded in the first.
pub(super) const REGIONS: [&str; 12] = [
    "us-east-1",
    "eu-west-1",
    "eu-central-1",
    "us-west-2",
    "ap-northeast-1",
    "ap-southeast-1",
    "us-east-2",
    "eu-west-2",
    "ca-central-1",
    "ap-south-1",
    "sa-east-1",
    "ap-southeast-2",
];

/// How many resources of each kind an account has.
const RESOURCES: usize = 200;

/// What kind of caller a principal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Persona {
    /// An AWS service that acts in the account.
    Service,
    /// The service-linked role of a service.
    Linked,
    /// An application on EC2 with the role of its instance.
    App,
    /// A Lambda function.
    Lambda,
    /// A deployment pipeline.
    Ci,
    /// Somebody who signs in through the identity provider.
    Person,
    /// A tool that reads everything, day and night.
    Scanner,
    /// An IAM user with an access key.
    User,
}

impl Persona {
    /// The order in which an account is peopled, over and over.
    const CYCLE: [Self; 9] = [
        Self::App,
        Self::Lambda,
        Self::Person,
        Self::Ci,
        Self::App,
        Self::Scanner,
        Self::User,
        Self::Lambda,
        Self::Person,
    ];

    /// How long a session lasts before new credentials are fetched, in seconds.
    fn session_seconds(self) -> Option<i64> {
        match self {
            Self::Service | Self::User => None,
            Self::Linked | Self::Ci | Self::Scanner => Some(3600),
            Self::App => Some(6 * 3600),
            Self::Lambda => Some(12 * 3600),
            Self::Person => Some(8 * 3600),
        }
    }

    fn works_at_night(self) -> bool {
        !matches!(self, Self::Person | Self::User)
    }
}

/// Somebody or something that makes calls.
#[derive(Debug)]
pub(super) struct Principal {
    pub(super) persona: Persona,
    /// Name of the role or user.
    pub(super) name: String,
    /// ARN of the role or user (not of a session).
    pub(super) arn: String,
    /// The unique id, `AROA…` or `AIDA…`.
    pub(super) id: String,
    pub(super) session_name: String,
    pub(super) addresses: Vec<String>,
    /// Clients; a browser where the text begins with `Mozilla`.
    pub(super) user_agents: Vec<&'static str>,
    /// Calls by rank: the first is made most often.
    pub(super) habit: Vec<usize>,
    pub(super) errors_per_mille: u64,
    seed: u64,
    account_id: String,
}

/// An AWS account.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) id: String,
    pub(super) seed: u64,
    pub(super) principals: Vec<Principal>,
    pub(super) activity: Choice,
    /// Where its people live, as hours ahead of UTC.
    hours_ahead: i64,
    by_persona: BTreeMap<Persona, Vec<usize>>,
}

/// All accounts, and how the work is spread over them.
#[derive(Debug)]
pub(super) struct World {
    pub(super) accounts: Vec<Account>,
    pub(super) regions: &'static [&'static str],
    pub(super) resources: Choice,
}

/// How large a world is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    pub(super) accounts: usize,
    pub(super) regions: usize,
    /// Principals in each account.
    pub(super) principals: usize,
}

impl World {
    pub(super) fn new(seed: u64, size: Size, catalogue: &Catalogue) -> Self {
        let accounts = (0..size.accounts)
            .map(|index| Account::new(mix(seed, index as u64), index, size, catalogue))
            .collect();
        let regions = &REGIONS[..size.regions.clamp(1, REGIONS.len())];
        Self { accounts, regions, resources: Choice::zipf(RESOURCES) }
    }
}

impl Account {
    fn new(seed: u64, index: usize, size: Size, catalogue: &Catalogue) -> Self {
        /// Account ids that documentation uses come first; the others are made up.
        const KNOWN: [&str; 4] = ["111122223333", "444455556666", "777788889999", "123456789012"];
        let id = KNOWN.get(index).map_or_else(
            || {
                let mut id = String::new();
                clock::push_padded(&mut id, 200_000_000_000 + mix(seed, 1) % 700_000_000_000, 12);
                id
            },
            |known| (*known).to_owned(),
        );
        let mut rng = Rng::with_seed(mix(seed, 2));
        let personas =
            [Persona::Service, Persona::Linked].into_iter().chain(Persona::CYCLE.into_iter().cycle());
        let principals: Vec<Principal> = personas
            .take(size.principals.max(2 + Persona::CYCLE.len()))
            .enumerate()
            .map(|(number, persona)| Principal::new(persona, number, seed, &id, catalogue, &mut rng))
            .collect();
        // Services make a quarter of all calls; the others follow Zipf's law in an order of their own.
        let mut ranks: Vec<u64> = (1..principals.len() as u64).collect();
        rng.shuffle(&mut ranks);
        let others: Vec<u64> = ranks.iter().map(|rank| (1 << 32) / rank).collect();
        let service = others.iter().sum::<u64>() / 3;
        let mut by_persona: BTreeMap<Persona, Vec<usize>> = BTreeMap::new();
        for (index, principal) in principals.iter().enumerate() {
            by_persona.entry(principal.persona).or_default().push(index);
        }
        Self {
            activity: Choice::new(std::iter::once(service).chain(others)),
            hours_ahead: [1, 0, -5, 9, -8, 5][index % 6],
            by_persona,
            id,
            seed,
            principals,
        }
    }

    /// One of the principals of this kind. Every account has some of each.
    pub(super) fn one_of(&self, persona: Persona, number: u64) -> &Principal {
        let indices = &self.by_persona[&persona];
        &self.principals[indices[(number % indices.len() as u64) as usize]]
    }

    /// Whether the principal works at this time: people keep office hours, now and then one works late.
    pub(super) fn awake(&self, principal: &Principal, seconds: i64, rng: &mut Rng) -> bool {
        let local = seconds + self.hours_ahead * 3600;
        let hour = local.rem_euclid(86_400) / 3600;
        let weekday = (local.div_euclid(86_400) + 3).rem_euclid(7); // 1970-01-01 was a Thursday.
        let office = (8..19).contains(&hour) && weekday < 5;
        principal.persona.works_at_night() || office || rng.u8(..) < 4
    }
}

impl Principal {
    fn new(
        persona: Persona,
        number: usize,
        seed: u64,
        account: &str,
        catalogue: &Catalogue,
        rng: &mut Rng,
    ) -> Self {
        const PEOPLE: [&str; 12] = [
            "ana.silva",
            "jonas.weber",
            "mei.tanaka",
            "sam.okafor",
            "lea.moreau",
            "ivan.petrov",
            "nora.lind",
            "omar.haddad",
            "grace.kim",
            "tom.byrne",
            "ada.novak",
            "ravi.menon",
        ];
        let seed = mix(seed, 1000 + number as u64);
        let app = APPS[number % APPS.len()];
        let person = PEOPLE[number % PEOPLE.len()];
        // In a large account the same names come up again, and get a number.
        let numbered = |name: String, names: usize| match number / names {
            0 => name,
            turn => format!("{name}-{turn}"),
        };
        let (name, session_name) = match persona {
            Persona::Service => (String::new(), String::new()),
            Persona::Linked => ("AWSServiceRoleForConfig".to_owned(), "AWSConfig-Describe".to_owned()),
            Persona::App => {
                let mut instance = String::new();
                push_resource_of(seed, Value::Instance, 0, "i-0", 16, &mut instance);
                (numbered(format!("{app}-instance"), APPS.len()), instance)
            }
            Persona::Lambda => {
                let function = numbered(format!("{app}-worker"), APPS.len());
                (function.clone(), function)
            }
            Persona::Ci => (numbered(format!("deploy-{app}"), APPS.len()), "pipeline".to_owned()),
            Persona::Person => {
                let mut hex = String::new();
                push_hex(&mut hex, seed, 16);
                let set = ["AdministratorAccess", "Developer", "Operations"][number % 3];
                (
                    format!("AWSReservedSSO_{set}_{hex}"),
                    format!("{}@example.com", numbered(person.to_owned(), PEOPLE.len())),
                )
            }
            Persona::Scanner => {
                (numbered("posture-scanner".to_owned(), Persona::CYCLE.len()), "scan".to_owned())
            }
            Persona::User => {
                let name = numbered(format!("{app}-ops"), APPS.len());
                (name.clone(), name)
            }
        };
        let path = match persona {
            Persona::Linked => "aws-service-role/config.amazonaws.com/",
            Persona::Person => "aws-reserved/sso.amazonaws.com/",
            _ => "",
        };
        let kind = if persona == Persona::User { "user" } else { "role" };
        let mut id = String::new();
        push_key(&mut id, if persona == Persona::User { "AIDA" } else { "AROA" }, seed);
        let office = 10 + mix(seed, 7) % 150;
        let addresses = match persona {
            Persona::Service => Vec::new(),
            Persona::Linked => vec!["config.amazonaws.com".to_owned()],
            Persona::App | Persona::Lambda | Persona::Ci | Persona::Scanner => {
                vec![format!("203.0.113.{}", 10 + mix(seed, 8) % 200)]
            }
            Persona::Person => vec![
                format!("198.51.100.{office}"),
                format!("192.0.2.{}", 10 + mix(seed, 9) % 200),
                format!("2001:db8:{:x}::{:x}", number + 16, office),
            ],
            Persona::User => vec![format!("198.51.100.{office}")],
        };
        Self {
            arn: format!("arn:aws:iam::{account}:{kind}/{path}{name}"),
            user_agents: user_agents(persona, number),
            habit: catalogue.habit(persona, rng),
            errors_per_mille: match persona {
                Persona::Service | Persona::Linked => 4,
                _ if seed.is_multiple_of(6) => 260,
                _ => 25,
            },
            persona,
            name,
            id,
            session_name,
            addresses,
            seed,
            account_id: account.to_owned(),
        }
    }

    /// An IAM user that an intruder makes.
    pub(super) fn intruder(name: &str, seed: u64, account: &Account) -> Self {
        let mut id = String::new();
        push_key(&mut id, "AIDA", seed);
        Self {
            persona: Persona::User,
            name: name.to_owned(),
            arn: format!("arn:aws:iam::{}:user/{name}", account.id),
            id,
            session_name: String::new(),
            addresses: Vec::new(),
            user_agents: Vec::new(),
            habit: Vec::new(),
            errors_per_mille: 0,
            seed,
            account_id: account.id.clone(),
        }
    }

    /// The access key in use at this time.
    pub(super) fn push_key(&self, seconds: i64, out: &mut String) {
        match self.persona.session_seconds() {
            Some(_) => push_key(out, "ASIA", mix(self.seed, self.session_start(seconds).unsigned_abs())),
            None => push_key(out, "AKIA", mix(self.seed, 4)),
        }
    }

    /// `userIdentity`. A sign-in names no access key.
    pub(super) fn push_identity(&self, seconds: i64, signing_in: bool, out: &mut String) {
        let Self { arn, id, name, session_name, account_id, .. } = self;
        if self.persona == Persona::User {
            push_all(
                out,
                &[
                    r#"{"type":"IAMUser","principalId":""#,
                    id,
                    r#"","arn":""#,
                    arn,
                    r#"","accountId":""#,
                    account_id,
                ],
            );
            if !signing_in {
                out.push_str(r#"","accessKeyId":""#);
                self.push_key(seconds, out);
            }
            out.push_str(r#"","userName":""#);
            out.push_str(name);
            out.push_str("\"}");
            return;
        }
        push_all(
            out,
            &[r#"{"type":"AssumedRole","principalId":""#, id, ":", session_name, r#"","arn":"arn:aws:sts::"#],
        );
        push_all(
            out,
            &[account_id, ":assumed-role/", name, "/", session_name, r#"","accountId":""#, account_id],
        );
        out.push_str(r#"","accessKeyId":""#);
        self.push_key(seconds, out);
        push_all(
            out,
            &[
                r#"","sessionContext":{"sessionIssuer":{"type":"Role","principalId":""#,
                id,
                r#"","arn":""#,
                arn,
            ],
        );
        push_all(
            out,
            &[r#"","accountId":""#, account_id, r#"","userName":""#, name, r#""},"webIdFederationData":"#],
        );
        if self.persona == Persona::Ci {
            push_all(out, &[r#"{"federatedProvider":"arn:aws:iam::"#, account_id]);
            push_all(out, &[r#":oidc-provider/git.example.com","attributes":{}}"#]);
        } else {
            push_all(out, &["{}"]);
        }
        out.push_str(r#","attributes":{"creationDate":""#);
        clock::push_iso(out, self.session_start(seconds));
        out.push_str(r#"","mfaAuthenticated":""#);
        out.push_str(if self.persona == Persona::Person { "true" } else { "false" });
        out.push_str(match self.persona {
            Persona::App => r#""},"ec2RoleDelivery":"2.0"}}"#,
            Persona::Linked => r#""}},"invokedBy":"config.amazonaws.com"}"#,
            _ => r#""}}}"#,
        });
    }

    /// The ARN that its calls are made with: of a role that of a session.
    pub(super) fn push_caller_arn(&self, out: &mut String) {
        let Self { arn, name, session_name, account_id, .. } = self;
        if self.persona == Persona::User {
            out.push_str(arn);
        } else {
            push_all(out, &["arn:aws:sts::", account_id, ":assumed-role/", name, "/", session_name]);
        }
    }

    fn session_start(&self, seconds: i64) -> i64 {
        let length = self.persona.session_seconds().unwrap_or(i64::MAX);
        let shift = (self.seed % 3600) as i64; // Sessions of different principals do not begin at one time.
        (seconds - shift).div_euclid(length) * length + shift
    }
}

fn user_agents(persona: Persona, number: usize) -> Vec<&'static str> {
    const SDKS: [&str; 4] = [
        "Boto3/1.35.50 md/Botocore#1.35.50 ua/2.0 os/linux#6.1.112-122.189.amzn2023.x86_64 md/arch#x86_64 lang/python#3.12.7 md/pyimpl#CPython cfg/retry-mode#standard Botocore/1.35.50",
        "aws-sdk-java/2.28.16 md/io#sync md/http#Apache ua/2.1 os/Linux#6.1.112 lang/java#21.0.4 md/OpenJDK_64-Bit_Server_VM md/vendor#Amazon.com_Inc. exec-env/AWS_ECS_FARGATE cfg/retry-mode#standard",
        "aws-sdk-go-v2/1.32.2 os/linux lang/go#1.23.2 md/GOOS#linux md/GOARCH#arm64 api/dynamodb#1.36.2",
        "aws-sdk-js/3.670.0 ua/2.1 os/linux#5.10.226 lang/js md/nodejs#20.17.0 exec-env/AWS_Lambda_nodejs20.x",
    ];
    const TERRAFORM: &str = "APN/1.0 HashiCorp/1.0 Terraform/1.9.8 (+https://www.terraform.io) terraform-provider-aws/5.73.0 (+https://registry.terraform.io/providers/hashicorp/aws) aws-sdk-go-v2/1.32.2 os/linux lang/go#1.23.1 md/GOOS#linux md/GOARCH#amd64";
    const BROWSERS: [&str; 3] = [
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36 Edg/130.0.0.0",
        "Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0",
    ];
    const CLI: &str = "aws-cli/2.18.11 md/awscrt#0.22.0 ua/2.0 os/macos#24.0.0 md/arch#arm64 lang/python#3.12.6 md/pyimpl#CPython cfg/retry-mode#standard md/installer#exe md/prompt#off";
    match persona {
        Persona::Service => Vec::new(),
        Persona::Linked => vec!["config.amazonaws.com"],
        Persona::App | Persona::Lambda | Persona::User => vec![SDKS[number % SDKS.len()]],
        Persona::Ci => vec![TERRAFORM],
        Persona::Person => vec![BROWSERS[number % BROWSERS.len()], BROWSERS[number % BROWSERS.len()], CLI],
        Persona::Scanner => vec![SDKS[0]],
    }
}
