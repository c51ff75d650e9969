//! What kind of deed a call is, what besides it is a mark of, and which tactic it is named by. The one list of calls.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::event::{Event, Field};
use crate::say::term;

/// What facts look for: calls that are marks of something, whatever kind of deed they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Mark {
    /// Somebody can come back through what was made.
    Persistence,
    /// Somebody may do more than before.
    Rights,
    /// Somebody else is trusted, or may be.
    Trust,
    /// A device was added that answers for a user.
    MfaAdded,
    /// A secret was read.
    Secret,
    /// A snapshot or an image was changed or shared.
    Sharing,
    /// The request may name who gets access.
    GivesAccess,
    /// Who gets at a bucket was changed.
    Bucket,
    /// Something is gone.
    Destruction,
    /// A key of KMS cannot be used any more.
    KeyDisabled,
    /// A key was pushed onto a machine, or is there for the next.
    KeyPushed,
    /// Somebody gets onto a machine.
    IntoMachine,
    /// The call leads onto a machine or its disks.
    MachineAccess,
    /// A session of the console begins.
    Console,
}

/// Declares the kinds with the calls that are of them and their marks; patterns end with `*`.
macro_rules! deeds {
    ($($(#[$about:meta])* $name:ident = { $([$($mark:ident),*]: $($call:literal),+;)* })*) => {
        /// A kind of deed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum DeedKind {
            $($(#[$about])* $name,)*
            /// What was refused, or failed.
            Refused,
        }

        /// Calls that are of one kind and have the same marks.
        struct Calls {
            kind: DeedKind,
            marks: &'static [Mark],
            names: &'static [&'static str],
        }

        const CALLS: &[Calls] = &[$($(Calls {
            kind: DeedKind::$name,
            marks: &[$(Mark::$mark),*],
            names: &[$($call),+],
        },)*)*];
    };
}

deeds! {
    /// Signed in to the console.
    SignedIn = {
        [Console]: "ConsoleLogin", "GetSigninToken", "SwitchRole";
        []: "CheckMfa";
    }
    /// Took credentials.
    TookSessions = {
        []: "AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity", "AssumeRoot", "GetSessionToken",
            "GetFederationToken";
    }
    /// Made users.
    MadeUsers = {
        [Persistence]: "CreateUser";
    }
    /// Made access keys, or other credentials that last.
    MadeKeys = {
        [Persistence]: "CreateAccessKey", "CreateServiceSpecificCredential", "UploadSSHPublicKey",
            "UploadSigningCertificate";
    }
    /// Gave users a password.
    MadeLogins = {
        [Persistence]: "CreateLoginProfile";
        [Persistence, Rights]: "UpdateLoginProfile";
    }
    /// Made roles.
    MadeRoles = {
        [Persistence, Trust]: "CreateRole";
        [Persistence]: "CreateInstanceProfile";
        []: "CreateServiceLinkedRole";
    }
    /// Made policies.
    MadePolicies = {
        [Persistence]: "CreatePolicy";
        [Persistence, Rights]: "CreatePolicyVersion", "SetDefaultPolicyVersion";
    }
    /// Gave permissions.
    Granted = {
        [Persistence, Rights]: "AttachUserPolicy", "AttachRolePolicy", "AttachGroupPolicy", "PutUserPolicy",
            "PutRolePolicy", "PutGroupPolicy", "AddUserToGroup";
        [Rights]: "DeleteRolePermissionsBoundary", "DeleteUserPermissionsBoundary";
        []: "AddRoleToInstanceProfile";
    }
    /// Changed who is trusted.
    Trusted = {
        [Persistence, Rights, Trust]: "UpdateAssumeRolePolicy";
        [Persistence]: "CreateTrustAnchor", "CreateProfile", "CreateSAMLProvider", "UpdateSAMLProvider",
            "CreateOpenIDConnectProvider", "DeactivateMFADevice";
        [MfaAdded]: "EnableMFADevice";
    }
    /// Gave others access to data or code.
    Shared = {
        [Sharing, GivesAccess]: "ModifySnapshotAttribute", "ModifyImageAttribute", "ModifyDBSnapshotAttribute",
            "ModifyDBClusterSnapshotAttribute";
        [GivesAccess, Bucket]: "PutBucketPolicy";
        [Bucket]: "PutBucketAcl", "PutBucketReplication", "DeleteBucketPublicAccessBlock", "DeletePublicAccessBlock";
        [Persistence, GivesAccess]: "AddPermission20150331v2";
        []: "PutObjectAcl", "AddPermission*", "PutKeyPolicy", "CreateGrant", "PutResourcePolicy",
            "SetRepositoryPolicy", "SetQueueAttributes", "PutFileSystemPolicy", "CreateDBSnapshotShare",
            "PutBucketPublicAccessBlock", "DeleteAccountPublicAccessBlock", "ModifyVpcEndpointServicePermissions",
            "CreateResourceShare", "AssociateResourceShare";
    }
    /// Read secrets.
    ReadSecrets = {
        [Secret]: "GetSecretValue", "BatchGetSecretValue", "GetParameter", "GetParameters", "GetParametersByPath";
        [MachineAccess]: "GetPasswordData";
        []: "GetInstanceAccessDetails", "GetKeyPair", "DownloadDefaultKeyPair";
    }
    /// Read data.
    ReadData = {
        []: "GetObject", "CopyObject", "SelectObjectContent", "GetItem", "Scan", "BatchGetItem", "GetSnapshotBlock";
    }
    /// Wrote data.
    WroteData = {
        []: "PutObject", "CompleteMultipartUpload", "PutItem", "RestoreObject";
    }
    /// Opened or changed networks.
    OpenedNetworks = {
        []: "AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress", "CreateSecurityGroup",
            "RevokeSecurityGroupEgress", "RevokeSecurityGroupIngress", "ModifySecurityGroupRules",
            "CreateNetworkAcl*";
    }
    /// Started machines.
    RanMachines = {
        [MachineAccess]: "StartInstances", "ModifyInstanceAttribute";
        []: "RunInstances", "RequestSpotInstances", "CreateFleet";
    }
    /// Ran commands on machines.
    RanCommands = {
        [IntoMachine, MachineAccess]: "SendCommand", "StartSession", "ResumeSession";
        [IntoMachine, MachineAccess, KeyPushed]: "SendSSHPublicKey", "SendSerialConsoleSSHPublicKey";
        [IntoMachine]: "ExecuteCommand", "StartAutomationExecution";
        []: "CreateAssociation";
    }
    /// Made or changed code that runs.
    ChangedCode = {
        [Persistence]: "CreateFunction20150331", "UpdateFunctionConfiguration20150331v2",
            "UpdateFunctionCode20150331v2";
        []: "CreateFunction*", "UpdateFunctionCode*", "UpdateFunctionConfiguration*", "PublishLayerVersion*",
            "CreateEventSourceMapping*", "InvokeModel*";
    }
    /// Made copies of disks and databases.
    MadeCopies = {
        [MachineAccess]: "CreateSnapshot", "CreateSnapshots", "CreateImage";
        []: "CopySnapshot", "CopyImage", "RegisterImage", "CreateDBSnapshot", "CopyDBSnapshot",
            "CreateDBClusterSnapshot", "StartExportTask", "CreateInstanceExportTask";
    }
    /// Changed what is logged or watched.
    ChangedLogging = {
        []: "StopLogging", "StartLogging", "DeleteTrail", "CreateTrail", "UpdateTrail", "PutEventSelectors",
            "PutInsightSelectors", "DeleteFlowLogs", "CreateFlowLogs", "DeleteDetector", "UpdateDetector",
            "CreateFilter", "DeleteLogGroup", "DeleteLogStream", "PutRetentionPolicy", "StopConfigurationRecorder",
            "DeleteConfigurationRecorder", "DeleteDeliveryChannel", "DisableSecurityHub", "LeaveOrganization",
            "PutBucketLogging", "PutBucketLifecycle*", "DeleteBucketLifecycle*", "DisassociateFromMasterAccount",
            "DeleteEventDataStore", "DeleteAlarms", "DisableAlarmActions",
            "DeleteModelInvocationLoggingConfiguration";
    }
    /// Took back what was given.
    TookBack = {
        []: "Detach*Policy", "Delete*Policy", "RemoveUserFromGroup", "RemovePermission*",
            "RemoveRoleFromInstanceProfile", "DeleteTrustAnchor", "DeleteProfile", "DeleteBucketPolicy";
    }
    /// Removed things.
    Destroyed = {
        [Destruction]: "DeleteObject", "DeleteObjects", "DeleteBucket", "DeleteDBInstance", "DeleteDBCluster",
            "DeleteRecoveryPoint", "DeleteSnapshot", "DeleteVolume", "DeleteBackupVault";
        [Destruction, KeyDisabled]: "ScheduleKeyDeletion", "DisableKey";
        [Destruction, MachineAccess]: "TerminateInstances";
        []: "Delete*", "Terminate*", "Deregister*", "Release*", "Remove*";
    }
    /// Looked around: listing and describing.
    LookedAround = {
        [Secret]: "Decrypt";
        [MachineAccess]: "GetConsoleScreenshot", "GetConsoleOutput";
    }
    /// Other changes.
    Changed = {
        [MfaAdded]: "CreateVirtualMFADevice";
        [KeyPushed]: "ImportKeyPair";
        [IntoMachine, MachineAccess]: "OpenTunnel";
        [IntoMachine]: "CreateInstanceConnectEndpoint";
        [MachineAccess]: "ModifyInstanceMetadataOptions", "AssociateIamInstanceProfile",
            "ReplaceIamInstanceProfileAssociation", "AttachVolume", "DetachVolume", "StopInstances",
            "RebootInstances";
    }
}

/// How calls begin that only look.
const LOOKING: [&str; 12] = [
    "List", "Describe", "Get", "Head", "Search", "Lookup", "BatchGet", "Scan", "Query", "Simulate", "View",
    "Check",
];

/// The calls whose names are whole, by name; those with a pattern are looked for in order.
static BY_NAME: LazyLock<HashMap<&'static str, &'static Calls>> = LazyLock::new(|| {
    let named = CALLS.iter().flat_map(|calls| calls.names.iter().map(move |name| (*name, calls)));
    named.filter(|(name, _)| !name.contains('*')).collect()
});

/// Those with a pattern, in the order of the list.
static BY_PATTERN: LazyLock<Vec<(&'static str, &'static Calls)>> = LazyLock::new(|| {
    let named = CALLS.iter().flat_map(|calls| calls.names.iter().map(move |name| (*name, calls)));
    named.filter(|(name, _)| name.contains('*')).collect()
});

/// Where a call stands in the list.
fn listed(action: &str) -> Option<&'static Calls> {
    let by_pattern = || BY_PATTERN.iter().find(|(name, _)| fits(name, action)).map(|it| it.1);
    BY_NAME.get(action).copied().or_else(by_pattern)
}

impl Event {
    /// What its call is a mark of.
    pub(crate) fn marks(&self) -> &'static [Mark] {
        listed(self.get(Field::Action)).map_or(&[], |it| it.marks)
    }

    /// Whether its call is a mark of that.
    pub(crate) fn is_mark(&self, mark: Mark) -> bool {
        self.marks().contains(&mark)
    }

    /// The tactic that calls like this are named by, whatever was meant by it; empty if there is none.
    pub(crate) fn tactic(&self) -> &'static str {
        if self.is_mark(Mark::Secret) && crate::targets::is_secret(self) {
            return DeedKind::ReadSecrets.tactic();
        }
        DeedKind::asked(self).tactic()
    }
}

impl DeedKind {
    /// The kind of a call.
    pub fn of(event: &Event) -> Self {
        if event.is_refused() { Self::Refused } else { Self::asked(event) }
    }

    /// The kind that a call is of, or would have been.
    fn asked(event: &Event) -> Self {
        let action = event.get(Field::Action);
        match listed(action) {
            Some(calls) => calls.kind,
            None if event.is_write() => Self::Changed,
            None if event.get(Field::ReadOnly) == "true" => Self::LookedAround,
            None if LOOKING.iter().any(|it| action.starts_with(it)) => Self::LookedAround,
            None => Self::Changed,
        }
    }

    /// The tactic that such deeds are named by.
    fn tactic(self) -> &'static str {
        match self {
            Self::SignedIn => term!("Initial Access"),
            Self::TookSessions => term!("Lateral Movement"),
            Self::MadeUsers | Self::MadeKeys | Self::MadeLogins | Self::MadeRoles | Self::Trusted => {
                term!("Persistence")
            }
            Self::ChangedCode => "Persistence",
            Self::MadePolicies | Self::Granted => term!("Privilege Escalation"),
            Self::Shared | Self::MadeCopies => term!("Exfiltration"),
            Self::ReadSecrets => term!("Credential Access"),
            Self::ReadData => term!("Collection"),
            Self::OpenedNetworks | Self::ChangedLogging => term!("Defense Evasion"),
            Self::RanMachines | Self::RanCommands => term!("Execution"),
            Self::Destroyed => term!("Impact"),
            Self::LookedAround => term!("Discovery"),
            Self::WroteData | Self::TookBack | Self::Changed | Self::Refused => "",
        }
    }

    /// Whether it is what intruders and administrators alike do all day: it is told after the rest.
    pub fn is_routine(self) -> bool {
        matches!(self, Self::LookedAround | Self::Changed | Self::TookBack | Self::Refused)
    }

    /// Whether every object is told, however many there are: what somebody can come back with, or what is lost.
    pub fn names_all(self) -> bool {
        matches!(
            self,
            Self::MadeUsers
                | Self::MadeKeys
                | Self::MadeLogins
                | Self::MadePolicies
                | Self::Shared
                | Self::Trusted
        )
    }

    /// Whether what it is about is named, rather than the calls counted.
    pub fn names_objects(self) -> bool {
        match self {
            Self::MadeUsers
            | Self::MadeKeys
            | Self::MadeLogins
            | Self::MadeRoles
            | Self::MadePolicies
            | Self::Granted
            | Self::Trusted
            | Self::Shared
            | Self::TookSessions
            | Self::ReadSecrets
            | Self::ReadData
            | Self::WroteData
            | Self::RanMachines
            | Self::RanCommands
            | Self::ChangedCode
            | Self::MadeCopies
            | Self::OpenedNetworks => true,
            Self::SignedIn
            | Self::ChangedLogging
            | Self::TookBack
            | Self::Destroyed
            | Self::LookedAround
            | Self::Changed
            | Self::Refused => false,
        }
    }
}

/// Whether a call is meant by a pattern with at most one `*`.
fn fits(pattern: &str, action: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == action,
        Some((start, end)) => {
            action.len() >= start.len() + end.len() && action.starts_with(start) && action.ends_with(end)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_call_is_listed_twice() {
        let mut known = std::collections::HashSet::new();
        for name in CALLS.iter().flat_map(|it| it.names) {
            assert!(known.insert(name), "{name} is listed twice");
        }
    }

    #[test]
    fn whole_names_come_before_patterns() {
        for (action, kind, mark) in [
            ("AddPermission20150331v2", DeedKind::Shared, Some(Mark::Persistence)),
            ("AddPermission20150331", DeedKind::Shared, None),
            ("DeleteBucket", DeedKind::Destroyed, Some(Mark::Destruction)),
            ("DeleteBucketPolicy", DeedKind::TookBack, None),
            ("DeleteRolePermissionsBoundary", DeedKind::Granted, Some(Mark::Rights)),
            ("DeleteFlowLogs", DeedKind::ChangedLogging, None),
            ("DeleteQueue", DeedKind::Destroyed, None),
        ] {
            let it = listed(action).unwrap();
            assert_eq!(it.kind, kind, "{action}");
            assert!(mark.is_none_or(|mark| it.marks.contains(&mark)), "{action}");
        }
        assert!(listed("DescribeInstances").is_none());
    }

    #[test]
    fn patterns() {
        assert!(
            fits("AddPermission*", "AddPermission20150331v2") && fits("Detach*Policy", "DetachUserPolicy")
        );
        assert!(!fits("Detach*Policy", "DetachVolume") && !fits("CreateUser", "CreateUserX"));
        assert!(!fits("Delete*Policy", "DeletePolicy2"));
    }
}
