//! What kind of deed a call is.

use investigate::{Event, Field};

/// Declares the kinds with the calls that are of them; patterns end with `*`.
macro_rules! kinds {
    ($($(#[$about:meta])* $name:ident = [$($call:literal),*],)*) => {
        /// A kind of deed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum DeedKind {
            $($(#[$about])* $name,)*
            /// Looked around: listing and describing.
            LookedAround,
            /// Other changes.
            Changed,
            /// What was refused, or failed.
            Refused,
        }

        impl DeedKind {
            /// The kinds that calls name, with the calls.
            const NAMED: &'static [(Self, &'static [&'static str])] = &[$((Self::$name, &[$($call),*])),*];
        }
    };
}

kinds! {
    /// Signed in to the console.
    SignedIn = ["ConsoleLogin", "CheckMfa", "GetSigninToken", "SwitchRole"],
    /// Took credentials.
    TookSessions = [
        "AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity", "AssumeRoot", "GetSessionToken",
        "GetFederationToken"
    ],
    /// Made users.
    MadeUsers = ["CreateUser"],
    /// Made access keys, or other credentials that last.
    MadeKeys = ["CreateAccessKey", "CreateServiceSpecificCredential", "UploadSSHPublicKey", "UploadSigningCertificate"],
    /// Gave users a password.
    MadeLogins = ["CreateLoginProfile", "UpdateLoginProfile"],
    /// Made roles.
    MadeRoles = ["CreateRole", "CreateInstanceProfile", "CreateServiceLinkedRole"],
    /// Made policies.
    MadePolicies = ["CreatePolicy", "CreatePolicyVersion", "SetDefaultPolicyVersion"],
    /// Gave permissions.
    Granted = [
        "AttachUserPolicy", "AttachRolePolicy", "AttachGroupPolicy", "PutUserPolicy", "PutRolePolicy", "PutGroupPolicy",
        "AddUserToGroup", "AddRoleToInstanceProfile", "DeleteRolePermissionsBoundary", "DeleteUserPermissionsBoundary"
    ],
    /// Changed who is trusted.
    Trusted = [
        "UpdateAssumeRolePolicy", "CreateTrustAnchor", "CreateProfile", "CreateSAMLProvider", "UpdateSAMLProvider",
        "CreateOpenIDConnectProvider", "DeactivateMFADevice", "EnableMFADevice"
    ],
    /// Gave others access to data or code.
    Shared = [
        "ModifySnapshotAttribute", "ModifyImageAttribute", "ModifyDBSnapshotAttribute",
        "ModifyDBClusterSnapshotAttribute", "PutBucketPolicy", "PutBucketAcl", "PutObjectAcl", "PutBucketReplication",
        "AddPermission*", "PutKeyPolicy", "CreateGrant", "PutResourcePolicy", "SetRepositoryPolicy", "SetQueueAttributes",
        "PutFileSystemPolicy", "CreateDBSnapshotShare", "PutBucketPublicAccessBlock", "DeleteBucketPublicAccessBlock",
        "DeleteAccountPublicAccessBlock", "ModifyVpcEndpointServicePermissions", "CreateResourceShare",
        "AssociateResourceShare"
    ],
    /// Read secrets.
    ReadSecrets = [
        "GetSecretValue", "BatchGetSecretValue", "GetParameter", "GetParameters", "GetParametersByPath",
        "GetPasswordData", "GetInstanceAccessDetails", "GetKeyPair", "DownloadDefaultKeyPair"
    ],
    /// Read data.
    ReadData = ["GetObject", "CopyObject", "SelectObjectContent", "GetItem", "Scan", "BatchGetItem", "GetSnapshotBlock"],
    /// Wrote data.
    WroteData = ["PutObject", "CompleteMultipartUpload", "PutItem", "RestoreObject"],
    /// Opened or changed networks.
    OpenedNetworks = [
        "AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress", "CreateSecurityGroup",
        "RevokeSecurityGroupEgress", "RevokeSecurityGroupIngress", "ModifySecurityGroupRules", "CreateNetworkAcl*"
    ],
    /// Started machines.
    RanMachines = ["RunInstances", "StartInstances", "RequestSpotInstances", "CreateFleet", "ModifyInstanceAttribute"],
    /// Ran commands on machines.
    RanCommands = [
        "SendCommand", "StartSession", "ResumeSession", "ExecuteCommand", "SendSSHPublicKey",
        "SendSerialConsoleSSHPublicKey", "CreateAssociation", "StartAutomationExecution"
    ],
    /// Made or changed code that runs.
    ChangedCode = [
        "CreateFunction*", "UpdateFunctionCode*", "UpdateFunctionConfiguration*", "PublishLayerVersion*",
        "CreateEventSourceMapping*", "InvokeModel*"
    ],
    /// Made copies of disks and databases.
    MadeCopies = [
        "CreateSnapshot", "CreateSnapshots", "CopySnapshot", "CreateImage", "CopyImage", "RegisterImage",
        "CreateDBSnapshot", "CopyDBSnapshot", "CreateDBClusterSnapshot", "StartExportTask", "CreateInstanceExportTask"
    ],
    /// Changed what is logged or watched.
    ChangedLogging = [
        "StopLogging", "StartLogging", "DeleteTrail", "CreateTrail", "UpdateTrail", "PutEventSelectors",
        "PutInsightSelectors", "DeleteFlowLogs", "CreateFlowLogs", "DeleteDetector", "UpdateDetector", "CreateFilter",
        "DeleteLogGroup", "DeleteLogStream", "PutRetentionPolicy", "StopConfigurationRecorder",
        "DeleteConfigurationRecorder", "DeleteDeliveryChannel", "DisableSecurityHub", "LeaveOrganization",
        "PutBucketLogging", "PutBucketLifecycle*", "DeleteBucketLifecycle*", "DisassociateFromMasterAccount",
        "DeleteEventDataStore", "DeleteAlarms", "DisableAlarmActions", "DeleteModelInvocationLoggingConfiguration"
    ],
    /// Took back what was given.
    TookBack = [
        "Detach*Policy", "Delete*Policy", "RemoveUserFromGroup", "RemovePermission*", "RemoveRoleFromInstanceProfile",
        "DeleteTrustAnchor", "DeleteProfile", "DeleteBucketPolicy"
    ],
    /// Removed things.
    Destroyed = [
        "Delete*", "Terminate*", "ScheduleKeyDeletion", "DisableKey", "Deregister*", "Release*", "Remove*"
    ],
}

/// How calls begin that only look.
const LOOKING: [&str; 12] = [
    "List", "Describe", "Get", "Head", "Search", "Lookup", "BatchGet", "Scan", "Query", "Simulate", "View",
    "Check",
];

impl DeedKind {
    /// The kind of a call.
    pub fn of(event: &Event) -> Self {
        if event.is_refused() {
            return Self::Refused;
        }
        let action = event.get(Field::Action);
        let named = Self::NAMED.iter().find(|(_, calls)| calls.iter().any(|call| fits(call, action)));
        match named {
            Some((kind, _)) => *kind,
            None if event.is_write() => Self::Changed,
            None if event.get(Field::ReadOnly) == "true" => Self::LookedAround,
            None if LOOKING.iter().any(|it| action.starts_with(it)) => Self::LookedAround,
            None => Self::Changed,
        }
    }

    /// Whether it is what intruders and administrators alike do all day: it is told after the rest.
    pub fn is_routine(self) -> bool {
        matches!(self, Self::LookedAround | Self::Changed | Self::TookBack | Self::Refused)
    }

    /// Whether every object is told, however many there are: what somebody can come back with, or what is lost.
    pub(crate) fn names_all(self) -> bool {
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
    pub(crate) fn names_objects(self) -> bool {
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
    fn patterns() {
        assert!(
            fits("AddPermission*", "AddPermission20150331v2") && fits("Detach*Policy", "DetachUserPolicy")
        );
        assert!(!fits("Detach*Policy", "DetachVolume") && !fits("CreateUser", "CreateUserX"));
        assert!(!fits("Delete*Policy", "DeletePolicy2"));
    }
}
