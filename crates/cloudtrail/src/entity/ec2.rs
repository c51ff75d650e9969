//! The lists of items in the calls of EC2.

use super::{EntityError, Finder};
use crate::distinct::Distinct;

/// Collects what the items of a call name.
pub(super) fn add_items<'a>(finder: &Finder<'_, 'a>, related: &mut Distinct<'a>) -> Result<(), EntityError> {
    let lists: [(&str, &[&str]); 4] = [
        (
            "rs.securityGroupRuleSet.items[]",
            &["groupId", "referencedGroupInfo.groupId", "securityGroupRuleId"],
        ),
        ("rs.groupSet.items[]", &["groupId"]),
        ("rq.groupSet.items[]", &["groupId"]),
        ("rq.instancesSet.items[]", &["instanceId"]),
    ];
    for (list, keys) in lists {
        for item in finder.places(list) {
            finder.add_group(item, keys, related)?;
        }
    }
    let tree = finder.facts.tree;
    for instance in finder.places("rs.instancesSet.items[]") {
        let keys = ["subnetId", "vpcId", "instanceId", "imageId", "iamInstanceProfile.arn"];
        finder.add_group(instance, &keys, related)?;
        for interface in tree.elements(tree.get(tree.get(instance, "networkInterfaceSet"), "items")) {
            finder.add_group(interface, &["networkInterfaceId", "vpcId", "subnetId"], related)?;
            for group in tree.elements(tree.get(tree.get(interface, "groupSet"), "items")) {
                finder.add_group(group, &["groupId"], related)?;
            }
        }
    }
    for item in finder.places("rq.revokedSecurityGroupRuleSet.items[]") {
        finder.add_group(item, &["securityGroupRuleId", "groupId"], related)?;
    }
    Ok(())
}
